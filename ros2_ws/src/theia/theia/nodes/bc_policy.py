"""The behaviour-cloning policy node of the WidowX; `theia.nodes.policy_node` says how it works."""

import sys
import time
from dataclasses import dataclass

from theia.nodekit.main import run_node
from theia.nodekit.parameters import parameter
from theia.nodes.policy_node import InputParameters, PolicyNode
from theia_core.actions.profile import load_profile
from theia_core.policies import PolicyRuntime, load_policy


@dataclass(frozen=True)
class PolicyParameters(InputParameters):
    """Parameters of the policy node."""

    policy: str = parameter("door", "shipped name or folder of the policy")
    robot: str = parameter("wx250s", "robot profile: joint names and the namespace of joint_states")


class BcPolicyNode(PolicyNode):
    """Predicts within the control step: a prediction takes a few milliseconds."""

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the policy."""
        super().__init__("bc_policy", PolicyParameters)

    def load(self) -> PolicyRuntime:
        """The policy of the parameters."""
        return load_policy(self.parameters.policy, threads=self.parameters.threads)

    def state_source(self) -> tuple[tuple[str, ...], str]:
        """Arm and left finger, as the driver publishes them."""
        profile = load_profile(self.parameters.robot)
        return (*profile.joint_names, profile.finger_joint), f"{profile.namespace}/joint_states"

    def control_step(self) -> None:
        """Predict if the last prediction is used up, and send what is due."""
        if self._execution.needs_prediction(time.monotonic()):
            self.predict()
        self.publish_due()


def main() -> int:
    """Run the node."""
    return run_node(BcPolicyNode)


if __name__ == "__main__":
    sys.exit(main())
