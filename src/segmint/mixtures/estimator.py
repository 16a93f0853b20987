"""Options by name, as scikit-learn's tools ask estimators for them."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any, Self

from segmint.errors import UsageError, nearest


class Estimator:
    """Something fitted, whose options are the arguments of its constructor.

    A subclass keeps each option unchanged under its own name. Then scikit-learn's ``clone``,
    pipelines and searches work with it, though nothing here needs scikit-learn.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options by name.

        Args:
            deep: not used, since no option is an estimator; scikit-learn passes it.

        Returns:
            Each option as it was given.
        """
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names}

    def set_params(self, **options: Any) -> Self:
        """Change some options; what has been fitted stays until the next fit.

        Args:
            **options: new values by name.

        Returns:
            The estimator itself.

        Raises:
            UsageError: for an unknown name or a value outside its range; then nothing changes.
        """
        known = self.get_params()
        for name in options:
            if name not in known:
                raise UsageError(
                    f"{type(self).__name__} has no option {name!r}: {nearest(name, known)}"
                )
        type(self)(**(known | options))  # refuses values outside their range
        vars(self).update(options)
        return self

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({options})"

    def __sklearn_tags__(self) -> SimpleNamespace:
        """What scikit-learn's tools ask before they use an estimator, under their names."""
        return SimpleNamespace(
            estimator_type="density_estimator",
            target_tags=SimpleNamespace(
                required=False,
                one_d_labels=False,
                two_d_labels=False,
                positive_only=False,
                multi_output=False,
                single_output=True,
            ),
            transformer_tags=None,
            classifier_tags=None,
            regressor_tags=None,
            array_api_support=False,
            no_validation=False,
            non_deterministic=False,
            requires_fit=True,
            _skip_test=False,
            input_tags=SimpleNamespace(
                one_d_array=False,
                two_d_array=True,
                three_d_array=False,
                sparse=False,
                categorical=False,
                string=False,
                dict=False,
                positive_only=False,
                allow_nan=False,
                pairwise=False,
            ),
        )
