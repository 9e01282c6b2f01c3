/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * What interfaces before 2.6 had in fuse_common.h. Included there; a program uses the plain names,
 * which FUSE_USE_VERSION turns into these.
 */

#ifndef _FUSE_COMMON_COMPAT_H_
#define _FUSE_COMMON_COMPAT_H_

#ifdef __cplusplus
extern "C" {
#endif

/** An open file, for interfaces 2.2 and 2.4. Fields as in today's struct, of which it is the beginning. */
struct fuse_file_info_compat {
    /** Open flags. */
    int flags;

    /** File handle of the file system's choice. */
    unsigned long fh;

    /** Not 0 if the page cache writes. */
    int writepage;

    /** Set by `open`: no page cache for this open file. */
    unsigned int direct_io : 1;

    /** Set by `open`: what is cached of the file is still good. */
    unsigned int keep_cache : 1;
};

/**
 * Mounts a file system, for interface 2.5.
 *
 * @param mountpoint where
 * @param args options; only read
 * @return a descriptor of the device, the caller's to close; -1 after a message
 */
int fuse_mount_compat25(const char *mountpoint, struct fuse_args *args);

/**
 * Mounts a file system, for interfaces 2.1 to 2.4.
 *
 * @param mountpoint where
 * @param opts options with commas between them, or NULL
 * @return a descriptor of the device, the caller's to close; -1 after a message
 */
int fuse_mount_compat22(const char *mountpoint, const char *opts);

/**
 * Mounts a file system, for interface 1.1.
 *
 * @param mountpoint where
 * @param args ignored
 * @return a descriptor of the device, the caller's to close; -1 after a message
 */
int fuse_mount_compat1(const char *mountpoint, const char *args[]);

/**
 * Unmounts a file system, for interfaces before 2.6. The descriptor stays open.
 *
 * @param mountpoint where
 */
void fuse_unmount_compat22(const char *mountpoint);

#ifdef __cplusplus
}
#endif

#endif /* _FUSE_COMMON_COMPAT_H_ */
