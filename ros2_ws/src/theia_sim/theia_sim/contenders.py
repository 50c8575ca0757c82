"""Who takes part in an evaluation: policies on their encoders, executed in one way or several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from theia_core.actions.execution import ExecutionMode
from theia_core.encoders import Encoder, load_encoder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy
from theia_core.policies.artefact import (
    DESCRIPTION,
    policy_folder,
    read_policy,
    shipped_policies,
)

EXPERT = "expert"
_EXPERTS_OWN = "one action at a time"


@dataclass(frozen=True)
class Contender:
    """One policy with its encoder and the way its predictions are executed.

    Attributes:
        policy: shipped name or folder, or "expert".
        encoder: name or folder of the encoder, None for the expert.
        policy_id: name@hash for records.
        encoder_id: name@hash for records, with the precision of an engine that is not in float32.
        execution: what `theia_core.actions.execution.ExecutionMode` reads; the expert has its own.
        denoising_steps: of a diffusion policy, None for others.
    """

    policy: str
    encoder: str | None
    policy_id: str
    encoder_id: str
    execution: str
    denoising_steps: int | None = None

    @property
    def identity(self) -> dict[str, str | int]:
        """The entries of a trial record that say whose trial it is."""
        steps = {} if self.denoising_steps is None else {"denoising_steps": self.denoising_steps}
        return {"policy": self.policy_id, "encoder": self.encoder_id, "execution": self.execution, **steps}


def choose_contenders(
    task: str,
    policies: Sequence[str],
    encoders: Sequence[str],
    folders: Sequence[Path] = (),
    executions: Sequence[str] = (),
    denoising_steps: Sequence[int] = (),
) -> list[Contender]:
    """Match policies and encoders; everything is read here, so that a mistake shows before anything runs.

    Without encoders, each policy runs on its own; without either, the task's shipped policy does. Each
    encoder that is named takes part with those of `policies` that were trained on it, or else with a shipped
    policy (the task's own if it fits), or else with one found in `folders`. Each policy takes part once with
    each of `executions`, without any as its policy.json says; the expert, who has one action at a time, once.

    Args:
        task: task that is evaluated.
        policies: shipped names, folders or "expert".
        encoders: names or folders.
        folders: folders whose subfolders are searched for policies.
        executions: how predictions are executed, as `ExecutionMode.parse` reads it.
        denoising_steps: each diffusion policy takes part once with each, without any with its own number.

    Raises:
        TheiaError: if one is unknown or damaged, of another task, named twice, or fits no other.
    """
    for kind, names in (("--policy", policies), ("--encoder", encoders)):
        if twice := [name for name in names if names.count(name) > 1]:
            raise TheiaError(f"{kind} {twice[0]} is given twice; name each once")
    chosen = (
        _of_encoders(task, policies, encoders, folders)
        if encoders
        else [_with_its_encoder(name, task) for name in policies or [task]]
    )
    seen: dict[tuple[str, str], Contender] = {}
    for contender in chosen:
        other = seen.setdefault((contender.policy_id, contender.encoder_id), contender)
        if other is not contender:
            raise TheiaError(
                f"{other.policy} and {contender.policy} are one policy, {other.policy_id}; name it once"
            )
    return _executed(_denoised(chosen, denoising_steps), executions)


def titles(contenders: Sequence[Contender]) -> tuple[str, list[str]]:
    """What tells contenders apart, and a short title for each: encoder, policy, execution or two of these."""
    encoders, policies = (
        [_without_hash(name) for name in names]
        for names in ([c.encoder_id for c in contenders], [c.policy_id for c in contenders])
    )
    executions = [c.policy_id if c.policy == EXPERT else c.execution for c in contenders]
    steps = [f"{c.denoising_steps} denoising steps" for c in contenders]
    choices = {
        "encoder": encoders,
        "policy": policies,
        "execution": executions,
        "denoising": steps,
    }
    for what, names in (("encoder", encoders), ("policy", policies)):
        pairs = zip(names, executions, strict=True)
        choices[f"{what}, execution"] = [f"{name}, {execution}" for name, execution in pairs]
    for what, names in choices.items():
        if len(set(names)) == len(names):
            return what, names
    return "policy", [f"{place}: {c.policy}, {c.execution}" for place, c in enumerate(contenders, start=1)]


def _without_hash(identity: str) -> str:
    """The name of name@hash, with what follows the hash."""
    name, _, rest = identity.partition("@")
    return " ".join([name, *rest.split()[1:]])


def _denoised(contenders: Sequence[Contender], steps: Sequence[int]) -> list[Contender]:
    """Each diffusion policy with each number of denoising steps, in the order of the policies."""
    if steps and all(contender.denoising_steps is None for contender in contenders):
        raise TheiaError(
            "--denoising-steps needs a diffusion policy; leave it out, or name one with --policy"
        )
    if twice := [number for number in steps if list(steps).count(number) > 1]:
        raise TheiaError(f"--denoising-steps {twice[0]} is given twice; name each once")
    denoised = []
    for contender in contenders:
        if contender.denoising_steps is None or not steps:
            denoised.append(contender)
            continue
        for number in steps:
            load_policy(contender.policy, denoising_steps=number)  # refuses what it was not trained for
            denoised.append(replace(contender, denoising_steps=number))
    return denoised


def _executed(contenders: Sequence[Contender], executions: Sequence[str]) -> list[Contender]:
    """Each policy with each execution, in the order of the policies."""
    if executions and all(contender.policy == EXPERT for contender in contenders):
        raise TheiaError("--execution needs a policy: the expert has one action at a time; add --policy")
    executed: list[Contender] = []
    for contender in contenders:
        modes = [contender.execution]
        if executions and contender.policy != EXPERT:
            meta = read_policy(policy_folder(contender.policy))
            modes = [_mode(text, meta) for text in executions]
        if twice := [mode for mode in modes if modes.count(mode) > 1]:
            raise TheiaError(f"--execution {twice[0]} is given twice; name each once")
        executed += [replace(contender, execution=mode) for mode in modes]
    return executed


def _mode(text: str, meta: dict) -> str:
    """The name of an execution, for the policy that `meta` describes."""
    return str(ExecutionMode.parse(text, execute_steps=meta["execute_steps"], horizon=meta["horizon"]))


def _of_encoders(
    task: str, policies: Sequence[str], encoders: Sequence[str], folders: Sequence[Path]
) -> list[Contender]:
    """Contenders of the encoders that were named, in their order."""
    loaded = {name: load_encoder(name, threads=1) for name in encoders}
    given = {name: _meta(name, task) for name in policies if name != EXPERT}
    identities = {encoder.encoder_id for encoder in loaded.values()}
    for name, meta in given.items():
        if meta["encoder_id"] not in identities:
            raise TheiaError(
                f"policy {name} was trained on tokens of {meta['encoder_id']}, which none of the encoders "
                f"{', '.join(sorted(identities))} is; leave --encoder out or give that one"
            )
    contenders = []
    for name, encoder in loaded.items():
        fitting = [policy for policy, meta in given.items() if meta["encoder_id"] == encoder.encoder_id]
        for policy in fitting or [_find_policy(task, encoder, folders)]:
            contenders.append(_contender(policy, name, encoder, task))
    return contenders + [_with_its_encoder(name, task) for name in policies if name == EXPERT]


def _meta(policy: str, task: str) -> dict:
    """A policy's checked description.

    Raises:
        TheiaError: if it is damaged or was trained for another task.
    """
    meta = read_policy(policy_folder(policy))
    if meta["task"] != task:
        raise TheiaError(f"policy {policy} was trained for the task {meta['task']!r}, not for {task!r}")
    return meta


def _with_its_encoder(policy: str, task: str) -> Contender:
    if policy == EXPERT:
        return Contender(EXPERT, None, "scripted-expert", "privileged state", _EXPERTS_OWN)
    name = _meta(policy, task)["encoder"]
    return _contender(policy, name, load_encoder(name, threads=1), task)


def _contender(policy: str, name: str, encoder: Encoder, task: str) -> Contender:
    runtime = load_policy(policy)
    runtime.check_encoder(encoder.encoder_id)
    mode, steps = _mode("", runtime.meta), getattr(runtime.config, "inference_steps", None)
    precision = encoder.runtime.precision
    encoder_id = encoder.encoder_id if precision == "fp32" else f"{encoder.encoder_id} {precision}"
    return Contender(policy, name, runtime.policy_id, encoder_id, mode, steps)


def _find_policy(task: str, encoder: Encoder, folders: Sequence[Path]) -> str:
    """The policy of this task trained on `encoder`: shipped ones come first, the task's own before all."""
    shipped = shipped_policies()
    candidates = [shipped[name] for name in sorted(shipped, key=lambda name: (name != task, name))]
    for folder in folders:
        if not folder.is_dir():
            raise TheiaError(
                f"--policies {folder} is no folder; give the folder that holds policies' folders"
            )
        found = sorted(path.parent for path in folder.rglob(DESCRIPTION))
        candidates += found
    others = []
    for candidate in candidates:
        meta = read_policy(candidate)
        if meta["task"] == task and meta["encoder_id"] == encoder.encoder_id:
            return str(candidate)
        if meta["task"] == task and meta["encoder"] == encoder.spec.name:
            others.append(f"{candidate} is for {meta['encoder_id']}")
    hint = f" ({'; '.join(others)})" if others else ""
    raise TheiaError(
        f"no policy of the task {task!r} was trained on {encoder.encoder_id}{hint}; train one with "
        f"`theia train {task} --encoder ...` and give it with --policy, or its parent folder with --policies"
    )
