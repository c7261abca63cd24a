"""The networks' graph, arranged for TensorBoard."""

import re
from collections import Counter

import tensorflow as tf

_SCOPE = re.compile(r"(generator|discriminator)/\1_\d+/(?:((\w+?)(?:_\d+)*)/)?")


def by_layers(graph: tf.Graph) -> tf.compat.v1.GraphDef:
    """The nodes of ``graph``, renamed so that a network's box contains one box for each layer.

    Keras puts a network into another scope inside ours, and numbers layers through a whole process.
    Here the names are generator/dense, generator/dense_1 and so on in every graph. The nodes with
    which a function returns its results are left out.

    Args:
        graph: of a function that calls the networks within the scopes ``generator`` and
            ``discriminator``.
    """
    layers: dict[tuple[str, str], str] = {}
    seen: Counter[tuple[str, str]] = Counter()

    def renamed(match: re.Match[str]) -> str:
        network, layer, kind = match.groups()
        if layer is None:
            return f"{network}/"
        if (network, layer) not in layers:
            count = seen[network, kind]
            layers[network, layer] = f"{kind}_{count}" if count else kind
            seen[network, kind] += 1
        return f"{network}/{layers[network, layer]}/"

    shown = tf.compat.v1.GraphDef()
    for node in graph.as_graph_def(add_shapes=True).node:
        if node.op == "NoOp" or (node.op == "Identity" and "/" not in node.name):
            continue
        node.name = _SCOPE.sub(renamed, node.name)
        inputs = [_SCOPE.sub(renamed, name) for name in node.input]
        del node.input[:]
        node.input.extend(inputs)
        shown.node.append(node)
    return shown
