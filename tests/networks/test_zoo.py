from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from segmint.errors import InputError, UsageError
from segmint.networks import build
from segmint.networks.storage import load_network, save_network
from segmint.networks.zoo import ZooNetwork
from segmint.networks.zoo_names import architectures
from segmint.torchvision_operators import declare_operators

declare_operators()


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def zoo(name: str, **options: object) -> ZooNetwork:
    network = build(f"smp:{name}", **{"classes": 4, **options})
    assert isinstance(network, ZooNetwork)
    return network.eval()


def light_encoder(architecture: str) -> str:
    return "tu-vit_tiny_patch16_224" if architecture == "dpt" else "mobileone_s0"


@pytest.mark.parametrize("architecture", architectures())
def test_every_architecture_takes_any_size(architecture: str) -> None:
    with torch.device("meta"):
        network = zoo(f"{architecture}/{light_encoder(architecture)}")
        for size in ((1, 1), (37, 70)):
            assert network(torch.empty(2, 3, *size)).shape == (2, 4, *size)


@pytest.mark.parametrize("name", ["unet/tu-resnet10t", "unet/tu-swin_tiny_patch4_window7_224"])
@pytest.mark.parametrize("in_channels", [1, 5])
def test_encoders_of_timm(name: str, in_channels: int) -> None:
    with torch.device("meta"):
        network = zoo(name, in_channels=in_channels)
        assert network(torch.empty(2, in_channels, 70, 9)).shape == (2, 4, 70, 9)


def test_encoder_of_one_size() -> None:
    with torch.device("meta"):
        network = zoo("unet/tu-hiera_tiny_224")
        assert network(torch.empty(1, 3, 50, 224)).shape == (1, 4, 50, 224)
        with pytest.raises(UsageError, match=r"of 448x224 pixels, accepted is 224x224"):
            network(torch.empty(1, 3, 225, 9))


def test_is_the_package_s_network() -> None:
    import segmentation_models_pytorch

    network, image = zoo("unet/resnet18"), images(2, 3, 64, 32)
    reference = segmentation_models_pytorch.Unet("resnet18", encoder_weights=None, classes=4)
    reference.load_state_dict(network.network.state_dict())
    torch.testing.assert_close(network(image), reference.eval()(image), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("deeplabv3/vgg11", "cannot be built, .*'VGG' models do not support dilated mode"),
        ("linknet/mit_b0", "`mit_b0` is not supported for Linknet"),
        ("dpt/resnet18", "Only Timm encoders are supported for DPT"),
        ("unet/tu-resnt18", "unknown encoder 'tu-resnt18': did you mean 'tu-resnet18'"),
        ("unet/tu-hf-hub:timm/resnet18", "unknown encoder"),
        ("unet/tu-local-dir:weights", "unknown encoder"),
        ("unet/tu-resnet18.nosuch", "Invalid pretrained tag"),
    ],
)
def test_what_does_not_go_together(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        zoo(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["encoder_dept", "activation", "aux_params", "encoder_weights"])
def test_unknown_option(option: str) -> None:
    with pytest.raises(UsageError, match=f"'smp:unet/resnet18' does not take {option}: "):
        zoo("unet/resnet18", **{option: 3})


def test_options_of_the_architecture() -> None:
    options = {"encoder_depth": 3, "decoder_channels": [16, 8, 4]}
    network = zoo("unet/mobileone_s0", **options)
    assert network.configuration == {"in_channels": 3, "classes": 4, **options}
    assert network(images(1, 3, 9, 17)).shape == (1, 4, 9, 17)


def test_one_image_is_too_few_where_it_becomes_one_value() -> None:
    network = zoo("deeplabv3/mobilenet_v2").train()
    with pytest.raises(UsageError, match=r"a batch of 1 image of 64x64 pixels .* 2 images or more"):
        network(images(1, 3, 64, 64))
    assert torch.isfinite(network(images(2, 3, 64, 64))).all()
    assert torch.isfinite(network.eval()(images(1, 3, 64, 64))).all()


def test_no_warning_reaches_the_user() -> None:
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("error")
        zoo("unet/timm-efficientnet-b0")


class TestWeights:
    @pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
    def test_of_the_whole_network(self, tmp_path: Path, suffix: str) -> None:
        network, path = zoo("unet/mobileone_s0", seed=1), tmp_path / f"a{suffix}"
        state = {name: value.contiguous() for name, value in network.network.state_dict().items()}
        save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
        again = zoo("unet/mobileone_s0", seed=2, weights=path)
        torch.testing.assert_close(dict(again.state_dict()), dict(network.state_dict()))

    def test_of_a_network_that_segmint_wrote(self, tmp_path: Path) -> None:
        network = zoo("unet/mobileone_s0", seed=1)
        save_network(tmp_path / "a.safetensors", network, name=network.name)
        again = zoo("unet/mobileone_s0", seed=2, weights=tmp_path / "a.safetensors")
        torch.testing.assert_close(dict(again.state_dict()), dict(network.state_dict()))

    @pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet10t"])
    def test_of_the_encoder_as_trained_to_classify(self, tmp_path: Path, encoder: str) -> None:
        source = zoo(f"unet/{encoder}", seed=1).network.encoder.state_dict()
        state = {name.removeprefix("model."): value for name, value in source.items()}
        torch.save({**state, "fc.weight": torch.ones(9, 512)}, tmp_path / "a.pth")
        again = zoo(f"unet/{encoder}", seed=2, weights=tmp_path / "a.pth")
        torch.testing.assert_close(dict(again.network.encoder.state_dict()), dict(source))

    @pytest.mark.parametrize("in_channels", [1, 2, 5, 6])
    def test_grey_images_of_any_channels_are_answered_alike(
        self, tmp_path: Path, in_channels: int
    ) -> None:
        source = zoo("unet/resnet18", seed=1).network.encoder
        torch.save(source.state_dict(), tmp_path / "a.pth")
        again = zoo("unet/resnet18", in_channels=in_channels, weights=tmp_path / "a.pth")
        grey = images(1, 1, 64, 64)
        expected = source.eval()(grey.expand(-1, 3, -1, -1))[-1]
        found = again.network.encoder(grey.expand(-1, in_channels, -1, -1))[-1]
        if in_channels % 3 == 0 or in_channels == 1:
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
        assert found.shape == expected.shape

    def test_of_another_encoder(self, tmp_path: Path) -> None:
        torch.save(zoo("unet/resnet18").network.encoder.state_dict(), tmp_path / "a.pth")
        with pytest.raises(
            InputError, match=r"a\.pth .* nor of its encoder: \d+ missing \(.*, \.\.\.\)"
        ):
            zoo("unet/mobilenet_v2", weights=tmp_path / "a.pth")

    def test_of_another_architecture(self, tmp_path: Path) -> None:
        torch.save(zoo("fpn/resnet18").network.state_dict(), tmp_path / "a.pth")
        with pytest.raises(InputError, match=r"another architecture: \d+ missing .* unknown"):
            zoo("unet/resnet18", weights=tmp_path / "a.pth")

    def test_missing_file(self) -> None:
        with pytest.raises(InputError, match="do not exist"):
            zoo("unet/resnet18", weights="none.pth")

    def test_nothing_is_downloaded_unless_asked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from segmentation_models_pytorch import encoders

        source = zoo("unet/resnet18", seed=1).network.encoder.state_dict()
        save_file({name: value.contiguous() for name, value in source.items()}, tmp_path / "a")
        asked: list[str] = []

        def fetch(repository: str, **_: object) -> str:
            asked.append(repository)
            return str(tmp_path / "a")

        monkeypatch.setattr(encoders, "hf_hub_download", fetch)
        zoo("unet/resnet18", seed=2)
        assert not asked
        network = zoo("unet/resnet18", seed=2, weights="download")
        assert set(asked) == {"smp-hub/resnet18.imagenet"}
        torch.testing.assert_close(dict(network.network.encoder.state_dict()), dict(source))
        asked.clear()
        save_network(tmp_path / "b.safetensors", network, name=network.name)
        load_network(tmp_path / "b.safetensors")
        assert not asked

    @pytest.mark.parametrize("encoder", ["resnet18", "tu-resnet18"])
    def test_no_connection(self, monkeypatch: pytest.MonkeyPatch, encoder: str) -> None:
        import huggingface_hub.constants

        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(InputError, match=f"weights of encoder '{encoder}' could not be got"):
            zoo(f"unet/{encoder}", weights="download")


def test_whole_network_from_its_file(tmp_path: Path) -> None:
    network = zoo("fpn/mobileone_s0", in_channels=2, encoder_depth=4, seed=3)
    save_network(tmp_path / "a.safetensors", network, name="smp:fpn/mobileone_s0")
    again = load_network(tmp_path / "a.safetensors").eval()
    image = images(1, 2, 40, 40)
    torch.testing.assert_close(again(image), network(image), rtol=0, atol=0)
