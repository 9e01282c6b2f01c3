/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * What interfaces before 2.6 had in fuse.h. Included there; a program uses the plain names, which
 * FUSE_USE_VERSION turns into these. The operations do what those of the same name do today, with
 * what is missing in their arguments.
 */

#ifndef _FUSE_COMPAT_H_
#define _FUSE_COMPAT_H_

#include <sys/statfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The operations of interface 2.5. */
struct fuse_operations_compat25 {
    int (*getattr)(const char *, struct stat *);
    int (*readlink)(const char *, char *, size_t);
    int (*getdir)(const char *, fuse_dirh_t, fuse_dirfil_t);
    int (*mknod)(const char *, mode_t, dev_t);
    int (*mkdir)(const char *, mode_t);
    int (*unlink)(const char *);
    int (*rmdir)(const char *);
    int (*symlink)(const char *, const char *);
    int (*rename)(const char *, const char *);
    int (*link)(const char *, const char *);
    int (*chmod)(const char *, mode_t);
    int (*chown)(const char *, uid_t, gid_t);
    int (*truncate)(const char *, off_t);
    int (*utime)(const char *, struct utimbuf *);
    int (*open)(const char *, struct fuse_file_info *);
    int (*read)(const char *, char *, size_t, off_t, struct fuse_file_info *);
    int (*write)(const char *, const char *, size_t, off_t, struct fuse_file_info *);
    int (*statfs)(const char *, struct statvfs *);
    int (*flush)(const char *, struct fuse_file_info *);
    int (*release)(const char *, struct fuse_file_info *);
    int (*fsync)(const char *, int, struct fuse_file_info *);
    int (*setxattr)(const char *, const char *, const char *, size_t, int);
    int (*getxattr)(const char *, const char *, char *, size_t);
    int (*listxattr)(const char *, char *, size_t);
    int (*removexattr)(const char *, const char *);
    int (*opendir)(const char *, struct fuse_file_info *);
    int (*readdir)(const char *, void *, fuse_fill_dir_t, off_t, struct fuse_file_info *);
    int (*releasedir)(const char *, struct fuse_file_info *);
    int (*fsyncdir)(const char *, int, struct fuse_file_info *);
    void *(*init)(void);
    void (*destroy)(void *);
    int (*access)(const char *, int);
    int (*create)(const char *, mode_t, struct fuse_file_info *);
    int (*ftruncate)(const char *, off_t, struct fuse_file_info *);
    int (*fgetattr)(const char *, struct stat *, struct fuse_file_info *);
};

/** What fuse_main() calls, for interface 2.5. See fuse_main_real(). */
int fuse_main_real_compat25(int argc, char *argv[], const struct fuse_operations_compat25 *op,
                            size_t op_size);

/**
 * Makes a file system, for interface 2.5.
 *
 * @param fd a descriptor of the device, from fuse_mount(); it belongs to the file system from now on
 * @param args options, from which those that are known are removed
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_operations)
 * @return the file system, or NULL after a message
 */
struct fuse *fuse_new_compat25(int fd, struct fuse_args *args,
                               const struct fuse_operations_compat25 *op, size_t op_size);

/** What fuse_setup() is for interface 2.5; `fd` receives the descriptor of the device. */
struct fuse *fuse_setup_compat25(int argc, char *argv[], const struct fuse_operations_compat25 *op,
                                 size_t op_size, char **mountpoint, int *multithreaded, int *fd);

/**
 * Ends what fuse_setup() began, for interfaces before 2.6.
 *
 * @param fuse the file system
 * @param fd ignored: the descriptor belongs to the file system
 * @param mountpoint from fuse_setup(); freed
 */
void fuse_teardown_compat22(struct fuse *fuse, int fd, char *mountpoint);

/** The operations of interface 2.2. */
struct fuse_operations_compat22 {
    int (*getattr)(const char *, struct stat *);
    int (*readlink)(const char *, char *, size_t);
    int (*getdir)(const char *, fuse_dirh_t, fuse_dirfil_t);
    int (*mknod)(const char *, mode_t, dev_t);
    int (*mkdir)(const char *, mode_t);
    int (*unlink)(const char *);
    int (*rmdir)(const char *);
    int (*symlink)(const char *, const char *);
    int (*rename)(const char *, const char *);
    int (*link)(const char *, const char *);
    int (*chmod)(const char *, mode_t);
    int (*chown)(const char *, uid_t, gid_t);
    int (*truncate)(const char *, off_t);
    int (*utime)(const char *, struct utimbuf *);
    int (*open)(const char *, struct fuse_file_info_compat *);
    int (*read)(const char *, char *, size_t, off_t, struct fuse_file_info_compat *);
    int (*write)(const char *, const char *, size_t, off_t, struct fuse_file_info_compat *);
    int (*statfs)(const char *, struct statfs *);
    int (*flush)(const char *, struct fuse_file_info_compat *);
    int (*release)(const char *, struct fuse_file_info_compat *);
    int (*fsync)(const char *, int, struct fuse_file_info_compat *);
    int (*setxattr)(const char *, const char *, const char *, size_t, int);
    int (*getxattr)(const char *, const char *, char *, size_t);
    int (*listxattr)(const char *, char *, size_t);
    int (*removexattr)(const char *, const char *);
    int (*opendir)(const char *, struct fuse_file_info_compat *);
    int (*readdir)(const char *, void *, fuse_fill_dir_t, off_t, struct fuse_file_info_compat *);
    int (*releasedir)(const char *, struct fuse_file_info_compat *);
    int (*fsyncdir)(const char *, int, struct fuse_file_info_compat *);
    void *(*init)(void);
    void (*destroy)(void *);
};

/** What fuse_main() calls, for interface 2.2. See fuse_main_real(). */
int fuse_main_real_compat22(int argc, char *argv[], const struct fuse_operations_compat22 *op,
                            size_t op_size);

/** What fuse_new() is for interface 2.2: the options have commas between them, or are NULL. */
struct fuse *fuse_new_compat22(int fd, const char *opts, const struct fuse_operations_compat22 *op,
                               size_t op_size);

/** What fuse_setup() is for interface 2.2; `fd` receives the descriptor of the device. */
struct fuse *fuse_setup_compat22(int argc, char *argv[], const struct fuse_operations_compat22 *op,
                                 size_t op_size, char **mountpoint, int *multithreaded, int *fd);

/** Takes a name from `getdir`, without its inode number, for interfaces 1.1 and 2.1. */
typedef int (*fuse_dirfil_t_compat)(fuse_dirh_t h, const char *name, int type);

/** The operations of interface 2.1. */
struct fuse_operations_compat2 {
    int (*getattr)(const char *, struct stat *);
    int (*readlink)(const char *, char *, size_t);
    int (*getdir)(const char *, fuse_dirh_t, fuse_dirfil_t_compat);
    int (*mknod)(const char *, mode_t, dev_t);
    int (*mkdir)(const char *, mode_t);
    int (*unlink)(const char *);
    int (*rmdir)(const char *);
    int (*symlink)(const char *, const char *);
    int (*rename)(const char *, const char *);
    int (*link)(const char *, const char *);
    int (*chmod)(const char *, mode_t);
    int (*chown)(const char *, uid_t, gid_t);
    int (*truncate)(const char *, off_t);
    int (*utime)(const char *, struct utimbuf *);
    int (*open)(const char *, int);
    int (*read)(const char *, char *, size_t, off_t);
    int (*write)(const char *, const char *, size_t, off_t);
    int (*statfs)(const char *, struct statfs *);
    int (*flush)(const char *);
    int (*release)(const char *, int);
    int (*fsync)(const char *, int);
    int (*setxattr)(const char *, const char *, const char *, size_t, int);
    int (*getxattr)(const char *, const char *, char *, size_t);
    int (*listxattr)(const char *, char *, size_t);
    int (*removexattr)(const char *, const char *);
};

/** What fuse_main() is for interface 2.1. Returns the exit status. */
int fuse_main_compat2(int argc, char *argv[], const struct fuse_operations_compat2 *op);

/** What fuse_new() is for interface 2.1: the options have commas between them, or are NULL. */
struct fuse *fuse_new_compat2(int fd, const char *opts, const struct fuse_operations_compat2 *op);

/** What __fuse_setup() is for interface 2.1; `fd` receives the descriptor of the device. */
struct fuse *fuse_setup_compat2(int argc, char *argv[], const struct fuse_operations_compat2 *op,
                                char **mountpoint, int *multithreaded, int *fd);

/** Statistics, for interface 1.1. */
struct fuse_statfs_compat1 {
    /** Size of a block in bytes. */
    long block_size;

    /** Number of blocks. */
    long blocks;

    /** How many of them are free. */
    long blocks_free;

    /** Number of files that there can be. */
    long files;

    /** How many more there can be. */
    long files_free;

    /** Longest name in bytes. */
    long namelen;
};

/** The operations of interface 1.1. */
struct fuse_operations_compat1 {
    int (*getattr)(const char *, struct stat *);
    int (*readlink)(const char *, char *, size_t);
    int (*getdir)(const char *, fuse_dirh_t, fuse_dirfil_t_compat);
    int (*mknod)(const char *, mode_t, dev_t);
    int (*mkdir)(const char *, mode_t);
    int (*unlink)(const char *);
    int (*rmdir)(const char *);
    int (*symlink)(const char *, const char *);
    int (*rename)(const char *, const char *);
    int (*link)(const char *, const char *);
    int (*chmod)(const char *, mode_t);
    int (*chown)(const char *, uid_t, gid_t);
    int (*truncate)(const char *, off_t);
    int (*utime)(const char *, struct utimbuf *);
    int (*open)(const char *, int);
    int (*read)(const char *, char *, size_t, off_t);
    int (*write)(const char *, const char *, size_t, off_t);
    int (*statfs)(struct fuse_statfs_compat1 *);
    int (*release)(const char *, int);
    int (*fsync)(const char *, int);
};

/** Flag of fuse_new() for interface 1.1: debug output. */
#define FUSE_DEBUG_COMPAT1 (1 << 1)

/** What fuse_new() is for interface 1.1: flags take the place of options. */
struct fuse *fuse_new_compat1(int fd, int flags, const struct fuse_operations_compat1 *op);

/** What fuse_main() is for interface 1.1. */
void fuse_main_compat1(int argc, char *argv[], const struct fuse_operations_compat1 *op);

#ifdef __cplusplus
}
#endif

#endif /* _FUSE_COMPAT_H_ */
