# The few verbs of the house. A stamp file remembers what is set up, so nothing is done twice.
VENV    := .venv
PYTHON  := $(VENV)/bin/python
ENGINES := tests/engine
WEB := tools/web
VIEWER  := avatar3d/viewer
# Silences the version notice; the pins are the constraints file's business.
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: blenders nerfstudio help setup demo viewer style types test engine bench soak docs clean

help:
	@echo "make demo     a photo of Eileen Collins becomes out/collins/"
	@echo "make setup    .venv with everything a developer needs, and the web viewer"
	@echo "make test     all tests that need Python wheels only"
	@echo "make engine   the same files opened in Blender and a browser"
	@echo "make blenders Blender 4.2 and 5.0 beside the 4.5 of make engine, which then tests all three"
	@echo "make nerfstudio  its own parser reads a dataset of ours (a gigabyte beside the rest)"
	@echo "make style types bench docs; make soak: an hour of the bridge"

demo: $(VENV)/demo.stamp
	@$(PYTHON) -m avatar3d demo --out out

setup: $(VENV)/dev.stamp $(ENGINES)/node_modules/npm.stamp $(WEB)/node_modules/npm.stamp $(VIEWER)/dist/index.html

viewer: $(VIEWER)/dist/index.html

style: $(VENV)/dev.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/lint-imports --no-logo
	$(PYTHON) tools/generate_bindings.py --check

types: $(VENV)/dev.stamp
	$(VENV)/bin/basedpyright

test: setup
	$(PYTHON) -m pytest -m "not engine" --numprocesses auto --maxprocesses 4 --dist loadfile $(PYTEST)

engine: setup .venv-bpy/bpy.stamp
	@$(PYTHON) tools/setup/system_packages.py browser
	@$(PYTHON) tools/setup/system_packages.py godot || echo "No Godot 3.2 here: its tests will skip."
	$(PYTHON) -m pytest -m engine $(PYTEST)

bench: $(VENV)/dev.stamp
	$(PYTHON) -m bench

soak: $(VENV)/dev.stamp
	$(PYTHON) -m bench.soak

docs: $(VENV)/dev.stamp
	$(PYTHON) -m pdoc --output-directory build/docs --docformat google avatar3d
	@echo "See build/docs/index.html"

clean:
	rm -rf $(VENV) .venv-bpy .venv-bpy-4.2 .venv-bpy-5.0 .venv-nerfstudio $(ENGINES)/node_modules $(WEB)/node_modules $(VIEWER)/web/node_modules $(VIEWER)/dist build dist

# The small installation: what a user gets, and the picture for the demo.
$(VENV)/demo.stamp: pyproject.toml constraints.txt
	@set -e; python=$$(sh tools/setup/find_python.sh 3.12 3.11); \
	$$python tools/setup/system_packages.py main; \
	$(PYTHON) -c "import pip" 2>/dev/null || $$python -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable ".[demo]"
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	@$(PYTHON) tools/setup/system_packages.py dev
	@$(PYTHON) tools/setup/system_packages.py train || echo "Only avatar3d train speech needs these; the setup goes on."
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	@$(PYTHON) -c "from avatar3d.render.warm import warm_up; warm_up()"
	@touch $@

# Readers of glTF that are written in JavaScript. Without the npm registry their tests skip and say so.
$(ENGINES)/node_modules/npm.stamp: $(ENGINES)/package-lock.json | $(VENV)/dev.stamp
	@$(PYTHON) tools/setup/npm.py ci --prefix $(ENGINES) --ignore-scripts --no-audit --no-fund --loglevel=error \
		&& touch $@ || echo "npm could not install $(ENGINES): its tests will skip."

# What `export --format web` runs. Without the npm registry it says so, and its tests skip.
$(WEB)/node_modules/npm.stamp: $(WEB)/package-lock.json | $(VENV)/dev.stamp
	@$(PYTHON) tools/setup/npm.py ci --prefix $(WEB) --ignore-scripts --no-audit --no-fund --loglevel=error \
		&& touch $@ || echo "npm could not install $(WEB): there is no web format, and its tests will skip."

# The page that the bridge serves. Without the npm registry there is none, `avatar3d view` says so, and its tests skip.
$(VIEWER)/web/node_modules/npm.stamp: $(VIEWER)/web/package-lock.json | $(VENV)/dev.stamp
	@$(PYTHON) tools/setup/npm.py ci --prefix $(VIEWER)/web --ignore-scripts --no-audit --no-fund --loglevel=error \
		&& touch $@ || echo "npm could not install $(VIEWER)/web: there is no web viewer, and its tests will skip."

$(VIEWER)/dist/index.html: $(VIEWER)/web/node_modules/npm.stamp $(VIEWER)/web/build.mjs \
		$(wildcard $(VIEWER)/web/src/*.* $(VIEWER)/web/src/*/*.ts)
	@$(PYTHON) tools/setup/npm.py run build --silent --prefix $(VIEWER)/web || echo "The web viewer was not built."

# Blender as a Python module. It needs Python 3.11 and an environment of its own: beside mediapipe it does not exit.
.venv-bpy/bpy.stamp: Makefile
	@set -e; python=$$(sh tools/setup/find_python.sh 3.11); \
	$$python tools/setup/system_packages.py bpy; \
	.venv-bpy/bin/python -c "import pip" 2>/dev/null || $$python -m venv --clear .venv-bpy
	.venv-bpy/bin/python -m pip install --quiet bpy==4.5.15 numpy==1.26.4
	@touch $@

# The other Blenders that the extension promises; CI tests 4.5 alone, `make engine` all that are here (a gigabyte each).
blenders: .venv-bpy/bpy.stamp .venv-bpy-4.2/bpy.stamp .venv-bpy-5.0/bpy.stamp

.venv-bpy-4.2/bpy.stamp: BPY := 4.2.23
.venv-bpy-5.0/bpy.stamp: BPY := 5.0.1
.venv-bpy-4.2/bpy.stamp .venv-bpy-5.0/bpy.stamp: .venv-bpy/bpy.stamp
	@python=$$(sh tools/setup/find_python.sh 3.11); $$python -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet bpy==$(BPY) numpy==1.26.4
	@touch $@

# nerfstudio as far as its data parser, in an environment of its own: its protobuf is not mediapipe's. What trains needs CUDA,
# and comes with `pip install nerfstudio` on a machine that has it.
nerfstudio: setup .venv-nerfstudio/nerfstudio.stamp
	$(PYTHON) -m pytest -m engine tests/engine/test_nerfstudio.py $(PYTEST)

.venv-nerfstudio/nerfstudio.stamp: Makefile
	@set -e; python=$$(sh tools/setup/find_python.sh 3.11); \
	.venv-nerfstudio/bin/python -c "import pip" 2>/dev/null || $$python -m venv --clear .venv-nerfstudio
	.venv-nerfstudio/bin/python -m pip install --quiet torch==2.13.0 numpy==1.26.4 viser==0.2.7 \
		opencv-python-headless==4.10.0.84 jaxtyping "protobuf<=3.20.3" tensorboard
	.venv-nerfstudio/bin/python -m pip install --quiet --no-deps nerfstudio==1.1.5
	@touch $@
