"""What the search with a proxy hands on to the full trainings."""

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, model_validator

from autogan.core.hyperparameters import Value


class Chosen(BaseModel):
    """What a proxy has chosen for the full training.

    Attributes:
        trials: of the proxy's search, the numbers of its best points' first trainings.
        points: their hyperparameters, the best first.
        values: by which they were chosen: of another size of training than those in this record.
        tried: points in the proxy's search.
        seconds: of training that it took.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    trials: list[NonNegativeInt]
    points: list[dict[str, Value]]
    values: list[float]
    tried: NonNegativeInt
    seconds: NonNegativeFloat

    @model_validator(mode="after")
    def _each_has_all(self) -> "Chosen":
        if not len(self.trials) == len(self.points) == len(self.values):
            raise ValueError("trials, points and values are not as many")
        return self
