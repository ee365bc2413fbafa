"""What must be known of pretrained weights to use them in another network."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field

from medunsup.core.config import Config
from medunsup.core.errors import UsageError
from medunsup.nn.encoder import Encoder, make_encoder

NNSSL_INTENSITY = {"ZScoreNormalization": "z-score"}


class AdaptationPlan(Config):
    """What a pretrained encoder is, what it was trained on, and where its weights go.

    Plain values that JSON holds (`model_dump_json`, `AdaptationPlan.parse`), kept beside the weights. The
    idea is that of OpenMind's checkpoints (Wald et al., ICCV 2025, arXiv:2412.17041).
    """

    encoder: str = Field(description="name of the encoder; `medunsup.methods('encoder')` lists them")
    parameters: dict[str, Any] = Field({}, description="parameters of the encoder other than the defaults")
    dims: Literal[2, 3] = Field(description="2 for images, 3 for volumes")
    channels: int = Field(1, ge=1, description="channels of the images that it was trained on")
    patch: tuple[int, ...] = Field(description="sides of the images that it was trained on, in voxels")
    spacing_mm: tuple[float, ...] | None = Field(None, description="their voxel size along each axis, in mm")
    intensity: str = Field("", description="how their intensities were scaled, such as 'z-score'")
    stem: str = Field("", description="beginning of the names of the weights that take the images")
    networks: dict[str, dict[str, str]] = Field(
        {},
        description="networks that hold the encoder, by the name of their class: what the names of its "
        "weights begin with, and what they begin with there; the longest beginning counts",
    )
    optional: tuple[str, ...] = Field(
        (), description="parts of the names of weights that may be missing, since the encoder never uses them"
    )
    file: dict[str, str] = Field(
        {"": ""}, description="the same beginnings for the file that the weights were read from"
    )
    file_axes: tuple[int, ...] | None = Field(
        None, description="axes of space in the order in which the file's weights have them, if another"
    )

    @classmethod
    def of(
        cls,
        encoder: Encoder,
        *,
        patch: Sequence[int],
        spacing_mm: Sequence[float] | None = None,
        intensity: str = "",
    ) -> Self:
        """Describe an encoder and what it was trained on.

        Parameters
        ----------
        encoder : Encoder
            A registered encoder.
        patch : sequence of int
            Sides of the images that it was trained on, in voxels.
        spacing_mm : sequence of float, optional
            Their voxel size along each axis, in mm.
        intensity : str, default ''
            How their intensities were scaled.

        Returns
        -------
        AdaptationPlan
            The plan.

        Examples
        --------
        >>> from medunsup.nn import AdaptationPlan, make_encoder
        >>> encoder = make_encoder("cnn", {"levels": 2}, dims=3, channels=1)
        >>> plan = AdaptationPlan.of(encoder, patch=(32, 32, 32), spacing_mm=(2, 2, 2))
        >>> plan.parameters, plan.spacing_mm
        ({'levels': 2}, (2.0, 2.0, 2.0))
        """
        return cls(
            encoder=encoder.method_name,
            parameters=encoder.config.model_dump(mode="json", exclude_defaults=True),
            dims=encoder.dims,
            channels=encoder.channels,
            patch=tuple(patch),
            spacing_mm=None if spacing_mm is None else tuple(spacing_mm),
            intensity=intensity,
            stem=encoder.stem,
            networks=encoder.networks,
            optional=encoder.optional,
        )

    @classmethod
    def of_nnssl(cls, values: Mapping[str, Any]) -> Self:
        """Translate the `adaptation_plan.json` of nnssl, as OpenMind's checkpoints carry it.

        Parameters
        ----------
        values : mapping of str to value
            The JSON object, also found in the checkpoint under `nnssl_adaptation_plan`.

        Returns
        -------
        AdaptationPlan
            The plan, with the names of the weights in that file. nnssl's arrays have axes (K, J, I).

        Raises
        ------
        UsageError
            If it is not such a plan, or one of an architecture that no encoder of ours has.

        Examples
        --------
        >>> from medunsup.nn import AdaptationPlan
        >>> values = {"architecture_plans": {"arch_class_name": "ResEncL"}, "pretrain_num_input_channels": 1,
        ...     "recommended_downstream_patchsize": [160, 160, 160], "key_to_encoder": "encoder.stages",
        ...     "key_to_stem": "encoder.stem"}
        >>> AdaptationPlan.of_nnssl(values).encoder
        'resenc'
        """
        from medunsup.nn.encoders.resenc import ResEnc

        try:
            pretraining: Mapping[str, Any] = values.get("pretrain_plan") or {}
            trained: Mapping[str, Any] = next(iter(pretraining.get("configurations", {}).values()), {})
            order = [2 - axis for axis in pretraining.get("transpose_forward", (0, 1, 2))]
            patch = trained.get("patch_size") or values["recommended_downstream_patchsize"]
            return cls(
                encoder="resenc",
                parameters=_resenc(values["architecture_plans"]),
                dims=3,
                channels=values["pretrain_num_input_channels"],
                patch=_reordered(patch, order),
                spacing_mm=_reordered(trained["spacing"], order) if trained.get("spacing") else None,
                intensity=", ".join(
                    NNSSL_INTENSITY.get(one, one) for one in trained.get("normalization_schemes", ())
                ),
                stem=ResEnc.stem,
                networks=ResEnc.networks,
                file={"stem_block.": f"{values['key_to_stem']}.", "stages.": f"{values['key_to_encoder']}."},
                file_axes=tuple(order),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"This is no adaptation plan of nnssl ({type(error).__name__}: {error}). "
                "Give the adaptation_plan.json that came with the weights."
            ) from error

    def build(self, *, channels: int | None = None) -> Encoder:
        """Make the encoder, with random weights.

        Parameters
        ----------
        channels : int, optional
            Channels of the images; those of the plan if not given.

        Returns
        -------
        Encoder
            The encoder, in training mode.

        Raises
        ------
        UsageError
            If there is no such encoder, or if its parameters do not fit.

        Examples
        --------
        >>> from medunsup.nn import AdaptationPlan
        >>> AdaptationPlan(encoder="cnn", dims=2, patch=(64, 64)).build(channels=3).channels
        3
        """
        return make_encoder(self.encoder, self.parameters, dims=self.dims, channels=channels or self.channels)


def _resenc(architecture: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `resenc` for an architecture of nnssl. Raises UsageError for any other."""
    name, given = architecture["arch_class_name"], architecture.get("arch_kwargs") or {}
    if name == "ResEncL":
        return {}
    stages = len(given.get("features_per_stage", ()))
    is_ours = all(set(one) == {3} for one in given.get("kernel_sizes", ())) and all(
        set(one) == {1 if stage == 0 else 2} for stage, one in enumerate(given.get("strides", ()))
    )
    if name != "ResidualEncoderUNet" or stages < 2 or not is_ours:
        raise UsageError(
            f"No encoder here has nnssl's architecture {name} of these sizes; resenc has ResEncL, and "
            "ResidualEncoderUNet with kernels of 3 and strides of 2. Take weights of one of these."
        )
    return {"widths": tuple(given["features_per_stage"]), "blocks": tuple(given["n_blocks_per_stage"])}


def _reordered(values: Sequence[float], order: Sequence[int]) -> tuple[Any, ...]:
    """Turn one value an axis of nnssl's arrays into one an axis of ours."""
    ours = [values[0]] * len(order)
    for axis, value in zip(order, values, strict=True):
        ours[axis] = value
    return tuple(ours)
