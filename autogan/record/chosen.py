"""The points that a proxy hands on to the full trainings."""

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, model_validator

from autogan.core.hyperparameters import Value


class Chosen(BaseModel):
    """A proxy's choice of points for the full training.

    Attributes:
        trials: the numbers, in the proxy's search, of the best points' first trainings.
        points: their hyperparameters, the best first.
        values: in the proxy, whose trainings are smaller than those in this record.
        tried: the number of points in the proxy's search.
        seconds: of training that the proxy took.
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
            raise ValueError("trials, points and values differ in number")
        return self
