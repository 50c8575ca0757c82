"""Pictures of the body's camera, turned as the sensor is mounted."""

from typing import Any

import cv2
import numpy as np
from bosdyn.api import image_pb2, image_service_pb2_grpc

from theia_sim.spot import frames
from theia_sim.spot.answers import Service, answer, set_ns
from theia_sim.spot.camera import SpotCamera
from theia_sim.spot.state import body_tform

SENSOR = "frontleft_fisheye"
_Image, _Status = image_pb2.Image, image_pb2.ImageResponse.Status
_QUALITY = 75


class ImageService(Service, image_service_pb2_grpc.ImageServiceServicer):
    """Lists the source and takes pictures with it."""

    @answer(image_pb2.ListImageSourcesResponse)
    def ListImageSources(self, request: Any, response: Any) -> None:
        """The one camera."""
        camera = self.robot.camera
        response.image_sources.append(_source(camera, self.robot.greyscale))
        response.transforms_snapshot.CopyFrom(
            frames.frame_tree({**body_tform(self.robot.body), SENSOR: camera.shot().body_tform_sensor})
        )

    @answer(image_pb2.GetImageResponse, locked=False)
    def GetImage(self, request: Any, response: Any) -> None:
        """One picture for each request; drawing does not hold up anything else."""
        for wanted in request.image_requests:
            self._take(wanted, response.image_responses.add())

    def _take(self, wanted: image_pb2.ImageRequest, response: image_pb2.ImageResponse) -> None:
        robot, camera = self.robot, self.robot.camera
        if wanted.image_source_name != camera.source:
            response.status = _Status.STATUS_UNKNOWN_CAMERA
            return
        grey = robot.greyscale
        if wanted.pixel_format not in _pixel_formats(grey) and wanted.pixel_format:
            response.status = _Status.STATUS_UNSUPPORTED_PIXEL_FORMAT_REQUESTED
            return
        if wanted.image_format not in (_Image.FORMAT_UNKNOWN, _Image.FORMAT_JPEG, _Image.FORMAT_RAW):
            response.status = _Status.STATUS_UNSUPPORTED_IMAGE_FORMAT_REQUESTED
            return
        with robot.lock:
            set_ns(response.shot.acquisition_time, robot.clock.now_ns())
            shot = camera.shot()
            tree = frames.frame_tree({**body_tform(robot.body), SENSOR: shot.body_tform_sensor})
            response.source.CopyFrom(_source(camera, grey))
        rgb = camera.draw(shot)
        response.shot.transforms_snapshot.CopyFrom(tree)
        response.shot.frame_name_image_sensor = SENSOR
        greyscale = wanted.pixel_format == _Image.PIXEL_FORMAT_GREYSCALE_U8 or grey
        image = response.shot.image
        image.rows, image.cols = rgb.shape[:2]
        image.pixel_format = _Image.PIXEL_FORMAT_GREYSCALE_U8 if greyscale else _Image.PIXEL_FORMAT_RGB_U8
        pixels = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if greyscale else rgb
        if wanted.image_format == _Image.FORMAT_RAW:
            image.format, image.data = _Image.FORMAT_RAW, np.ascontiguousarray(pixels).tobytes()
        else:
            quality = round(wanted.quality_percent) or _QUALITY
            ordered = pixels if greyscale else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
            _, jpeg = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, quality])
            image.format, image.data = _Image.FORMAT_JPEG, jpeg.tobytes()
        response.status = _Status.STATUS_OK


def _pixel_formats(grey: bool) -> list[int]:
    colour = [] if grey else [_Image.PIXEL_FORMAT_RGB_U8]
    return [*colour, _Image.PIXEL_FORMAT_GREYSCALE_U8]


def _source(camera: SpotCamera, grey: bool) -> image_pb2.ImageSource:
    source = image_pb2.ImageSource(
        name=camera.source,
        cols=camera.width,
        rows=camera.height,
        image_type=image_pb2.ImageSource.IMAGE_TYPE_VISUAL,
        pixel_formats=_pixel_formats(grey),
        image_formats=[_Image.FORMAT_JPEG, _Image.FORMAT_RAW],
    )
    pinhole = source.pinhole.intrinsics
    pinhole.focal_length.x = pinhole.focal_length.y = camera.focal_px
    pinhole.principal_point.x, pinhole.principal_point.y = camera.width / 2, camera.height / 2
    return source
