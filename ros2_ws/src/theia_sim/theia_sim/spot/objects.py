"""What the robot recognises around it: AprilTags."""

from typing import Any

import numpy as np
from bosdyn.api import geometry_pb2, world_object_pb2, world_object_service_pb2_grpc

from theia_sim.scenes.fiducial import TAG_ID, TAG_M
from theia_sim.spot import frames
from theia_sim.spot.answers import Service, answer, set_ns
from theia_sim.spot.state import body_tform


class WorldObjectService(Service, world_object_service_pb2_grpc.WorldObjectServiceServicer):
    """Lists the fiducials in view; nothing can be added."""

    @answer(world_object_pb2.ListWorldObjectResponse)
    def ListWorldObjects(self, request: Any, response: Any) -> None:
        """Fiducials, if these are asked for or nothing is."""
        wanted = world_object_pb2.WORLD_OBJECT_APRILTAG
        if request.object_type and wanted not in request.object_type:
            return
        body = self.robot.body
        if not body.sees_fiducial():
            return
        pose = body.fiducial_pose(frames.BODY)
        name, filtered = f"fiducial_{TAG_ID}", f"filtered_fiducial_{TAG_ID}"
        found = response.world_objects.add(id=1, name=f"world_obj_apriltag_{TAG_ID}")
        set_ns(found.acquisition_time, self.robot.clock.now_ns())
        found.transforms_snapshot.CopyFrom(
            frames.frame_tree({**body_tform(body), name: pose, filtered: pose})
        )
        tag = found.apriltag_properties
        tag.tag_id, tag.frame_name_fiducial, tag.frame_name_fiducial_filtered = TAG_ID, name, filtered
        tag.dimensions.CopyFrom(geometry_pb2.Vec2(x=TAG_M, y=TAG_M))
        tag.fiducial_pose_status = tag.fiducial_filtered_pose_status = tag.STATUS_OK
        tag.frame_name_camera = "frontleft_fisheye"
        covariance = tag.detection_covariance.matrix
        covariance.rows = covariance.cols = 6
        covariance.values.extend((1e-6 * np.eye(6)).ravel())
