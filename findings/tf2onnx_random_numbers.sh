#!/usr/bin/env bash
# tf2onnx writes a model that no ONNX runtime can load, logs a line, and raises nothing.
#
# Met with: tf2onnx 1.17.0, TensorFlow 2.21.0, onnx 1.23.2, onnxruntime 1.32.0, Python 3.11. A function that draws
# random numbers without a state, as networks with seeded dropout do (also at rate 0, when nothing drops out).
# `tf2onnx.convert.from_function` returns normally and writes the file. TensorFlow's operation stands in it
# under its own name in ONNX's own domain, where there is none of that name.
#
# Seen: the call returns a model with the operation StatelessRandomUniformFullIntV2; onnx's checker and
# onnxruntime both refuse it. So a converted generator has to be loaded and compared before it is passed on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tensorflow==2.21.0 tf2onnx==1.17.0 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" -W ignore - 2>"$folder/log" <<'PYTHON' || { tail -3 "$folder/log"; exit 1; }
import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx


@tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "z")])
def made(z):
    words = tf.random.stateless_uniform(tf.shape(z), [1, 2], None, None, tf.int32)
    kept = tf.cast(words >= 0, tf.float32)
    return {"images": z * tf.maximum(kept, 1.0)}  # whatever was drawn


model, _ = tf2onnx.convert.from_function(
    made, made.input_signature, opset=17, output_path="made.onnx"
)
foreign = sorted({n.op_type for n in model.graph.node if n.op_type.startswith("Stateless")})


def refuses(use):
    try:
        use()
    except Exception as error:
        return type(error).__name__
    return ""


checker = refuses(lambda: onnx.checker.check_model(onnx.load("made.onnx")))
runtime = refuses(
    lambda: onnxruntime.InferenceSession("made.onnx", providers=["CPUExecutionProvider"])
)
print("tf2onnx", tf2onnx.__version__, "returned a model with", foreign or "ONNX's operations alone")
print(f"onnx's checker: {checker or 'accepts it'}; onnxruntime: {runtime or 'loads it'}")
raise SystemExit(0 if foreign and checker and runtime else "it behaves otherwise now")
PYTHON
