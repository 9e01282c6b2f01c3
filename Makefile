# make         stages the relocatable tree dist/: libraries, headers, pkg-config files, tools
# make test    everything that is tested; the last line counts
# make conform pjdfstest and fsx, through filesystems on the system's libraries and on ours; takes long
# make bench   speed, measured against the system's libfuse: build/bench/report.md (BENCH=--quick: briefly)
# make demo    the main job, shown
# make deb     Debian packages, in build/deb
# make test-deb  they install into a fresh Debian tree, and go again; takes long and needs the network
# make test-foreign  libraries for other machines, by emulation (MACHINES='aarch64 riscv64 s390x'); takes long
# make doc     the C interface as HTML, from the headers, in build/doc
# make clean   removes what the others made
#
# To install into a system: meson setup build && meson install -C build

# What has to be there, as Debian calls it.
BUILD_PACKAGES := meson ninja-build pkg-config gcc libc6-dev python3
TEST_PACKAGES := $(BUILD_PACKAGES) g++ binutils fuse3 libfuse3-dev attr acl strace fuse-overlayfs \
	squashfuse squashfs-tools qemu-utils valgrind libfuse2 libfuse-dev

CONFORM_PACKAGES := $(BUILD_PACKAGES) fuse3 libfuse3-dev libfuse2 bindfs e2fsprogs

BENCH_PACKAGES := $(BUILD_PACKAGES) fuse3 libfuse3-dev libfuse2 libfuse-dev fio strace valgrind e2fsprogs
DEB_PACKAGES := $(BUILD_PACKAGES) dpkg-dev

TEST_DEB_PACKAGES := $(DEB_PACKAGES) debootstrap

FOREIGN_PACKAGES := $(BUILD_PACKAGES) fuse3 qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
	gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross

DOC_PACKAGES := doxygen

DIST := $(CURDIR)/dist
BUILD := $(CURDIR)/build/meson

export CARGO_TARGET_DIR ?= $(CURDIR)/target

.PHONY: all dist test conform bench demo deb test-deb test-foreign doc clean fuzz model miri refused soak
all: dist

dist: $(BUILD)/build.ninja
	rm -rf '$(DIST)'
	DESTDIR='$(DIST)' meson install --quiet -C '$(BUILD)'

$(BUILD)/build.ninja:
	tools/need-packages $(BUILD_PACKAGES)
	meson setup --prefix=/ --libdir=lib -Drelocatable=true '$(BUILD)' '$(CURDIR)'

test:
	tools/need-packages $(TEST_PACKAGES)
	$(MAKE) --no-print-directory dist
	LIBDIR='$(DIST)/lib' tools/test

conform:
	tools/need-packages $(CONFORM_PACKAGES)
	$(MAKE) --no-print-directory dist
	c-tests/conform --libdir '$(DIST)/lib'

bench:
	tools/need-packages $(BENCH_PACKAGES)
	$(MAKE) --no-print-directory dist
	LIBDIR='$(DIST)/lib' bench/run $(BENCH)

demo:
	tools/need-packages $(TEST_PACKAGES)
	$(MAKE) --no-print-directory dist
	LIBDIR='$(DIST)/lib' c-tests/demo

deb:
	tools/need-packages $(DEB_PACKAGES)
	$(MAKE) --no-print-directory dist
	tools/make-deb '$(DIST)' '$(CURDIR)/build/deb'

test-deb: deb
	tools/need-packages $(TEST_DEB_PACKAGES)
	tests/deb '$(CURDIR)/build/deb' $(DEBIAN_TREE)

test-foreign:
	tools/need-packages $(FOREIGN_PACKAGES)
	$(MAKE) --no-print-directory dist
	LIBDIR='$(DIST)/lib' tests/foreign $(MACHINES)

doc:
	tools/need-packages $(DOC_PACKAGES)
	tools/make-doc '$(CURDIR)/build/doc'

clean:
	rm -rf '$(DIST)' '$(BUILD)' '$(CURDIR)/build/deb' '$(CURDIR)/build/doc'
	cargo clean

# Fuzzes every target for SECONDS with AddressSanitizer; needs cargo-fuzz.
fuzz:
	tools/fuzz '$(or $(SECONDS),60)'

# The model checker over path locks, the table of requests, workers, their gate, notifications and RELEASEs.
model:
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR='$(CURDIR)/build/loom' \
		cargo test --package ferrofuse --lib --release --locked loom

# Miri over what needs no kernel; needs a nightly toolchain with the components miri and rust-src. Each look into
# the 8 MiB of counters takes it minutes; of property tests it does four cases.
MIRI_TESTS := wire:: tree:: check:: queue:: caps:: census:: errand:: turns:: choice:: gait:: judge:: foresight:: chunks:: depth:: gate:: \
	settle:: stats:: adaptive:: uring::options:: mount::options:: helper::
miri:
	CARGO_TARGET_DIR='$(CURDIR)/build/miri' MIRIFLAGS=-Zmiri-disable-isolation PROPTEST_CASES=4 \
		cargo +nightly miri test --package ferrofuse --lib --locked -- $(MIRI_TESTS) --skip stats::counters

# The C programs, whose daemons the kernel refuses FEATURE: see c-tests/refuse.py.
refused:
	tools/need-packages $(TEST_PACKAGES)
	$(MAKE) --no-print-directory dist
	c-tests/run --refuse '$(or $(FEATURE),splice)' --libdir '$(DIST)/lib'

# Load with verification, aborts and remounts for MINUTES, and whether memory stays.
soak:
	tools/need-packages $(TEST_PACKAGES) fio
	$(MAKE) --no-print-directory dist
	c-tests/soak --libdir '$(DIST)/lib' --minutes '$(or $(MINUTES),10)'
