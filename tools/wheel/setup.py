"""The package uir: the module alone (pip install tools/wheel), or with the programs that tools/make_wheel.sh laid into src/uir."""
import os
import re
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "uir"
PROGRAMS = sorted(path.name for path in (PACKAGE / "bin").glob("uir*"))


def version():
    """Of the project; with programs also the torch that they belong to."""
    if "UIR_WHEEL_VERSION" in os.environ:
        return os.environ["UIR_WHEEL_VERSION"]
    return re.search(r"project\(uir VERSION ([0-9.]+)", (HERE.parents[1] / "CMakeLists.txt").read_text(encoding="utf-8"))[1]


class Package(Distribution):
    """With programs it is of this platform …"""

    def has_ext_modules(self):
        return bool(PROGRAMS)


class Wheel(bdist_wheel):
    """… and for any Python."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(
    name="uir",
    version=version(),
    description="Open-set face recognition: evaluation, comparison and embeddings from NumPy, and the programs of UIR",
    license="Apache-2.0",
    python_requires=">=3.9",
    install_requires=["numpy>=1.23", *([f"torch=={os.environ['UIR_WHEEL_TORCH']}.*"] if PROGRAMS else [])],
    packages=["uir"],
    package_dir={"": "src"},
    package_data={"uir": ["bin/*", "lib/*", "libexec/uir/*", "debian_packages.txt"]},
    entry_points={"console_scripts": [f"{name} = uir._programs:main" for name in PROGRAMS]},
    distclass=Package,
    cmdclass={"bdist_wheel": Wheel},
)
