# Other names for `python3 dev.py …`. Windows has no make: `py dev.py …`.
# More arguments: make test ARGS="-k icc"
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: pilot test check env lock fonts example format notebooks bench fuzz mutants unchanged same-bytes clean help

pilot test check env lock fonts example format notebooks bench fuzz mutants unchanged same-bytes clean help:
	@$(PYTHON) dev.py $@ $(ARGS)
