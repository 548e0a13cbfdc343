# Shared by examples/run.sh, tests/run.sh, the scripts of benchmarks and .ci/run, which set $root (the source tree) and
# source this file. Everything here tells its progress on standard error and costs milliseconds when nothing is to be done.

CXX=${CXX:-g++}
export CXX
logs=$root/build/logs

say() { printf '%s\n' "$*" >&2; }

# quietly NAME COMMAND...: runs the command with its output in build/logs/NAME.log, and shows the log only if it fails.
quietly() {
  mkdir -p "$logs"
  quiet_log=$logs/$1.log
  shift
  if "$@" >"$quiet_log" 2>&1 </dev/null; then return 0; fi
  cat "$quiet_log" >&2
  say "failed: $*"
  return 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@"; }

# ---- what is missing

have_compiler() { command -v "${CXX%% *}" >/dev/null 2>&1; }

# Boost.PFR with names of members (1.84 or newer): fetched before, or on the compiler's own include path.
have_pfr() {
  [ -f "$root/.deps/include/boost/pfr/core_name.hpp" ] ||
    printf '#if !__has_include(<boost/pfr/core_name.hpp>)\n#error\n#endif\n' | $CXX -x c++ -E - >/dev/null 2>&1
}

compiler_packages() {
  case ${CXX%% *} in
  clang++-*) printf '%s\n' "clang-${CXX#clang++-} libclang-rt-${CXX#clang++-}-dev" ;;
  clang++) printf '%s\n' "clang" ;;
  *-linux-gnu-g++) printf '%s\n' "g++-${CXX%-g++}" ;;
  *) printf '%s\n' "${CXX%% *}" ;;
  esac
}

# missing_packages PART...: Debian's names of what is not there; a part is tests, examples or benchmarks.
missing_packages() {
  have_compiler || compiler_packages
  command -v python3 >/dev/null 2>&1 || echo python3
  command -v meson >/dev/null 2>&1 || echo meson
  command -v ninja >/dev/null 2>&1 || echo ninja-build
  case " $* " in *" benchmarks "*) python3 -c 'import ensurepip' >/dev/null 2>&1 || echo python3-venv ;; esac
  if ! command -v pkg-config >/dev/null 2>&1; then
    echo pkgconf libeigen3-dev
    case " $* " in *" tests "*) echo catch2 ;; esac
    case " $* " in *" examples "*) echo libstb-dev libcli11-dev ;; esac
    case " $* " in *" benchmarks "*) echo libbenchmark-dev ;; esac
    return
  fi
  pkg-config --exists 'eigen3 >= 3.4' || echo libeigen3-dev
  case " $* " in *" tests "*) pkg-config --exists 'catch2-with-main >= 3.4' || echo catch2 ;; esac
  case " $* " in *" examples "*)
    pkg-config --exists stb || echo libstb-dev
    pkg-config --exists CLI11 || echo libcli11-dev
    ;;
  esac
  case " $* " in *" benchmarks "*) pkg-config --exists benchmark || echo libbenchmark-dev ;; esac
}

# ---- installing with apt

# The newest version of Catch2 that apt knows and that is 3.4 or newer.
known_catch2() {
  apt-cache "$@" madison catch2 2>/dev/null | cut -d '|' -f 2 | tr -d ' ' | while read -r version; do
    if dpkg --compare-versions "$version" ge 3.4; then
      echo "$version"
      break
    fi
  done
}

# The line of a list of sources for Debian's backports, at the mirror that the machine uses already.
backports() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian|Debian|\([a-z]*\)|main|\(.*\)$/\2 \1-backports main/p' | head -n 1
}

# Debian 12 has Catch2 3 in its backports only. They are asked for once; the machine's own list of sources stays as it is.
install_catch2() {
  version=$(known_catch2)
  if [ -n "$version" ]; then
    apt install -y --no-install-recommends "catch2=$version"
    return
  fi
  mirror=$(backports)
  [ -n "$mirror" ] || return 1
  sources=$(mktemp -d)
  chmod 755 "$sources"
  eval "$(apt-config shell own_list Dir::Etc::sourcelist/f)"
  { cat "${own_list:-}" 2>/dev/null || true; echo "deb $mirror"; } >"$sources/sources.list"
  status=0
  apt -o "Dir::Etc::sourcelist=$sources/sources.list" update &&
    version=$(known_catch2 -o "Dir::Etc::sourcelist=$sources/sources.list") && [ -n "$version" ] &&
    apt -o "Dir::Etc::sourcelist=$sources/sources.list" install -y --no-install-recommends "catch2=$version" || status=1
  rm -rf "$sources"
  return $status
}

install_packages() {
  apt update || say "apt-get update failed; trying with the lists that are there"
  others=
  catch2=false
  for package; do
    case $package in catch2) catch2=true ;; *) others="$others $package" ;; esac
  done
  if [ -n "$others" ]; then apt install -y --no-install-recommends $others || return 1; fi
  if $catch2; then install_catch2 || return 1; fi
}

can_install() {
  command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1; }
}

# ---- what tests for another machine link with

have_cross() { grep -Fqs "'$root/" "$root/.deps/$1/sysroot.ini"; }

# fill_sysroot MACHINE ARCHITECTURE (Debian's name): Catch2 from Debian's package and a link to Eigen, which is the same
# for every machine, in .deps/MACHINE. The lists of packages are the sysroot's own: the machine's stay as they are.
fill_sysroot() {
  sysroot=$root/.deps/$1
  mirror=$(backports)
  [ -n "$mirror" ] || return 1
  rm -rf "$sysroot"
  mkdir -p "$sysroot/apt/lists/partial" "$sysroot/apt/cache/archives/partial" "$sysroot/usr/include"
  echo "deb [arch=$2] $mirror" >"$sysroot/apt/sources.list"
  set -- -q -o "APT::Architecture=$2" -o "APT::Architectures::=$2" -o "Dir::State::lists=$sysroot/apt/lists" \
    -o "Dir::Cache=$sysroot/apt/cache" -o "Dir::Etc::sourcelist=$sysroot/apt/sources.list" -o Dir::Etc::sourceparts=-
  (cd "$sysroot/apt" && apt-get "$@" update && apt-get "$@" download libcatch2-dev) || return 1
  dpkg -x "$sysroot"/apt/libcatch2-dev_*.deb "$sysroot" || return 1
  ln -s "$(pkg-config --cflags-only-I eigen3 | sed 's/^-I//; s/ *$//')" "$sysroot/usr/include/eigen3"
  cp "$(pkg-config --variable=pcfiledir eigen3)/eigen3.pc" "$sysroot/usr/share/pkgconfig/"
  rm -rf "$sysroot/apt"
  printf "[constants]\nsysroot = '%s'\n" "$sysroot" >"$sysroot/sysroot.ini"
}

# install_cross MACHINE: what builds and runs the tests for another machine, beside its compiler.
install_cross() {
  if ! command -v "qemu-$1" >/dev/null 2>&1; then
    if can_install; then
      say "installing qemu-user"
      quietly install install_packages qemu-user || say "could not install qemu-user"
    else
      say "please install qemu-user"
    fi
  fi
  have_cross "$1" && return
  case $1 in
  aarch64) architecture=arm64 ;;
  *) architecture=$1 ;;
  esac
  say "fetching Catch2 for $1 into .deps"
  quietly "catch2-$1" fill_sysroot "$1" "$architecture" || say "please put Catch2 3.4 or newer for $1 into .deps/$1"
}

# ---- the two things that a build asks for

# install_missing PART...: installs what the parts (tests, examples, benchmarks) need. Where it cannot, it names what to
# install and goes on: the build tells then what it did not find.
install_missing() {
  packages=$(missing_packages "$@" | tr '\n' ' ')
  if [ -n "$packages" ]; then
    if can_install; then
      say "installing $packages"
      quietly install install_packages $packages || say "could not install all of: $packages"
    else
      say "please install (names of Debian's packages; Eigen 3.4, Catch2 3.4 or newer): $packages"
    fi
  fi
  have_pfr && return
  if ! python3 -m pip --version >/dev/null 2>&1; then
    if can_install; then
      say "installing python3-pip"
      quietly install install_packages python3-pip || say "could not install python3-pip"
    fi
  fi
  say "fetching Boost.PFR into .deps"
  quietly pfr python3 "$root/tools/fetch_pfr.py" "$root/.deps" ||
    say "please install Boost 1.84 or newer, or name the folder of its headers: -Dpfr_include=FOLDER"
}

# configure FOLDER OPTIONS...: Meson's setup, once; again only when the options have changed.
configure() {
  folder=$1
  shift
  if [ -f "$folder/build.ninja" ]; then
    if [ "$(cat "$folder/options.txt" 2>/dev/null)" = "$*" ]; then return; fi
    set -- --reconfigure "$folder" "$root" "$@"
  else
    set -- "$folder" "$root" "$@"
  fi
  say "configuring ${folder#"$root/"}"
  quietly "configure-${folder##*/}" meson setup "$@" || return 1
  if [ "$1" = --reconfigure ]; then shift; fi
  shift 2
  printf '%s\n' "$*" >"$folder/options.txt"
}
