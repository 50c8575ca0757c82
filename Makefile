# The two commands of the README: `make door` and `make test`. Each sets up what it needs first; run them as often as you like.
VENV ?= .venv
TRIALS ?= 5
SEED ?= 1000
TASK ?= pick_place
NOISY ?= 250
RECOVERY ?= 100

.PHONY: door train demonstrations test check clean help

help:  ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

door:  ## Set up, then let the simulated WidowX open the fridge over real ROS 2 (5 trials)
	@VENV=$(VENV) scripts/setup.sh robot
	@$(VENV)/bin/theia up widowx_door robot:=sim trials:=$(TRIALS) seed:=$(SEED)

train:  ## Set up the training commands: photos, renders, features, distill, train, analyze, probe
	@VENV=$(VENV) scripts/setup.sh train
	@echo "ready: . $(VENV)/bin/activate"

# Seeds of demonstrations are below 500,000, those of trials from 1,000,000 on: no evaluation shows what was demonstrated.
demonstrations:  ## Set up, then record TASK's demonstrations: clean, noisy, and with POLICY=FOLDER recovery ones
	@VENV=$(VENV) scripts/setup.sh train
	@$(VENV)/bin/theia collect $(TASK) --out data/$(TASK)
	@$(VENV)/bin/theia collect $(TASK) --seed 1000 --episodes $(NOISY) --noise-mm 4 --out data/$(TASK)_noisy
	@$(if $(POLICY),$(VENV)/bin/theia collect $(TASK) --seed 3000 --episodes $(RECOVERY) --policy $(POLICY) --out data/$(TASK)_recovery)

test:  ## Set up, then run every check and test
	@VENV=$(VENV) scripts/setup.sh test
	@$(MAKE) --no-print-directory check
	@PATH="$(abspath $(VENV))/bin:$$PATH" OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(VENV)/bin/python -m pytest -n 2 --dist loadfile --durations 25 -m "not timed"
	@PATH="$(abspath $(VENV))/bin:$$PATH" $(VENV)/bin/python -m pytest -m timed tests/system

check:  ## Linters, types and the import contract (after `make test` has set up)
	@$(VENV)/bin/ruff check --no-cache .
	@$(VENV)/bin/ruff format --no-cache --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

clean:  ## Remove the virtual environment and what was built
	rm -rf $(VENV) build dist *.egg-info ros2_ws/build ros2_ws/install ros2_ws/log
