"""Policies: spatial tokens and joint state become a chunk of actions."""

from theia_core.policies.artefact import shipped_policies
from theia_core.policies.config import PolicyConfig
from theia_core.policies.runtime import PolicyRuntime, load_policy

__all__ = ["PolicyConfig", "PolicyRuntime", "load_policy", "shipped_policies"]
