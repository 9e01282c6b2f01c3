/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The high-level interface: a file system answers requests about paths.
 *
 * Define FUSE_USE_VERSION before including this file, to the interface version the program was
 * written for: 30 to 39, or FUSE_MAKE_VERSION(3, 10) and up.
 */

#ifndef FUSE_H_
#define FUSE_H_

#include "fuse_common.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A mounted, or mountable, file system. */
struct fuse;

struct statx;

/** How `readdir` is called. */
enum fuse_readdir_flags {
#if FUSE_MINOR_VERSION > 14
    /** Names are enough. */
    FUSE_READDIR_DEFAULTS = 0,

#endif
    /** Attributes are wanted with the entries. Entries without them are fine as well. */
    FUSE_READDIR_PLUS = (1 << 0)
};

/** What an entry given to a fuse_fill_dir_t brings. */
enum fuse_fill_dir_flags {
#if FUSE_MINOR_VERSION > 14
    /** Its name, inode number and type. */
    FUSE_FILL_DIR_DEFAULTS = 0,

#endif
    /** All of its attributes, which the kernel may cache. */
    FUSE_FILL_DIR_PLUS = (1 << 1)
};

/**
 * Takes an entry from `readdir`.
 *
 * With offset 0 for all entries the whole directory is given in one go; with offsets other than 0
 * the listing can go on later from any of them. Both in one directory do not work.
 *
 * @param buf what `readdir` was given
 * @param name the name
 * @param stbuf the attributes, or NULL; without FUSE_FILL_DIR_PLUS only inode number and type count
 * @param off the offset of the entry after this one, or 0
 * @param flags fuse_fill_dir_flags
 * @return 1 if the buffer is full: return from `readdir`; else 0
 */
typedef int (*fuse_fill_dir_t)(void *buf, const char *name, const struct stat *stbuf, off_t off,
                               enum fuse_fill_dir_flags flags);

/**
 * Settings of the high-level interface.
 *
 * `init` sees what the command line asked for and may change it until it returns.
 */
struct fuse_config {
    /** Whether all files belong to group `gid`. */
    int set_gid;
    /** The group, see `set_gid`. */
    unsigned int gid;

    /** Whether all files belong to user `uid`. */
    int set_uid;
    /** The user, see `set_uid`. */
    unsigned int uid;

    /** Whether permissions are made from `umask`. */
    int set_mode;
    /** Permission bits that no file has, see `set_mode`. */
    unsigned int umask;

    /** How long names stay valid, in seconds. */
    double entry_timeout;

    /** How long it stays valid that a name does not exist, in seconds; 0: not cached. */
    double negative_timeout;

    /** How long attributes stay valid, in seconds. */
    double attr_timeout;

    /** Whether an interrupted request interrupts its thread by a signal. */
    int intr;

    /** The signal, see `intr`. */
    int intr_signal;

    /** How long forgotten nodes are kept, in seconds; -1: forever. For file systems exported by NFS. */
    int remember;

    /** Whether an open file is removed at once, not renamed until it is closed. */
    int hard_remove;

    /** Whether inode numbers are those of the file system, not the library's. */
    int use_ino;

    /** Without `use_ino`: whether `readdir` shows the numbers of nodes that are known already. */
    int readdir_ino;

    /** Whether no file is cached: sets fuse_file_info::direct_io always. */
    int direct_io;

    /** Whether cached data stays when a file is opened: sets fuse_file_info::keep_cache always. */
    int kernel_cache;

    /** Whether it stays unless size or modification time have changed. */
    int auto_cache;

#if FUSE_MINOR_VERSION <= 14
    /** Whether closing a file that was opened for reading only calls no `flush`. */
    int no_rofd_flush;
#endif

    /** Whether `ac_attr_timeout` was given. */
    int ac_attr_timeout_set;
    /** How long attributes are good enough for `auto_cache`, in seconds. */
    double ac_attr_timeout;

    /** Whether operations on open files may be called without a path. */
    int nullpath_ok;

    /** Internal: help was asked for. Leave it alone. */
    int show_help;
    /** Internal: stacked modules. Leave it alone. */
    char *modules;
    /** Internal: debug output. Leave it alone. */
    int debug;

#if FUSE_MINOR_VERSION > 14
    /** Instead of `umask`, if not 0, for what is no directory. */
    unsigned int fmask;
    /** Instead of `umask`, if not 0, for directories. */
    unsigned int dmask;

    /** Whether closing a file that was opened for reading only calls no `flush`. */
    int no_rofd_flush;

    /** Whether direct writes to one file may run at the same time. */
    int parallel_direct_writes;

    /** Unused; keep it as it is. */
    unsigned int flags;
    /** Unused; keep it as it is. */
    uint64_t reserved[48];
#endif
};

/**
 * The operations of a file system.
 *
 * They return 0 or a number where that is said, or -errno. Any may be NULL: then -ENOSYS is
 * returned, but `open`, `opendir`, `release`, `releasedir` and `statfs` succeed. They may be called
 * in several threads at once, unless `-s` was given. Paths begin with "/", and are valid during the
 * call. A file that was removed while open has no path, and operations on open files get NULL for
 * it; with fuse_config::nullpath_ok those get no path at all.
 */
struct fuse_operations {
    /** Gets attributes. `fi` is NULL unless the file is open. */
    int (*getattr)(const char *, struct stat *, struct fuse_file_info *fi);

    /** Gets the target of a symbolic link, cut if the buffer is too small, and NUL-terminated. */
    int (*readlink)(const char *, char *, size_t);

    /** Creates a node that is no directory, nor symbolic link. */
    int (*mknod)(const char *, mode_t, dev_t);

    /** Creates a directory. The mode may lack the type bits. */
    int (*mkdir)(const char *, mode_t);

    /** Removes a file. */
    int (*unlink)(const char *);

    /** Removes a directory. */
    int (*rmdir)(const char *);

    /** Creates a symbolic link: first its target, then its path. */
    int (*symlink)(const char *, const char *);

    /** Renames, with the flags of renameat2(2). */
    int (*rename)(const char *, const char *, unsigned int flags);

    /** Gives a file, the first path, another name. */
    int (*link)(const char *, const char *);

    /** Changes permissions. `fi` is NULL unless the file is open. */
    int (*chmod)(const char *, mode_t, struct fuse_file_info *fi);

    /** Changes owner and group, -1 for neither. `fi` is NULL unless the file is open. */
    int (*chown)(const char *, uid_t, gid_t, struct fuse_file_info *fi);

    /** Changes the size. `fi` is NULL unless the file is open. */
    int (*truncate)(const char *, off_t, struct fuse_file_info *fi);

    /** Opens a file. `fi->fh` and the caching bits may be set. Never with O_CREAT or O_EXCL. */
    int (*open)(const char *, struct fuse_file_info *);

    /** Reads. Returns the bytes read: fewer than asked for only at end of file. */
    int (*read)(const char *, char *, size_t, off_t, struct fuse_file_info *);

    /** Writes. Returns the bytes written. */
    int (*write)(const char *, const char *, size_t, off_t, struct fuse_file_info *);

    /** Gets statistics. */
    int (*statfs)(const char *, struct statvfs *);

    /** A descriptor was closed; comes any number of times for one `open`. */
    int (*flush)(const char *, struct fuse_file_info *);

    /** An open file is no longer used; comes once for each `open`. The result is ignored. */
    int (*release)(const char *, struct fuse_file_info *);

    /** Makes a file permanent; second argument not 0: its data only. */
    int (*fsync)(const char *, int, struct fuse_file_info *);

    /** Sets an extended attribute: path, name, value, length, flags. */
    int (*setxattr)(const char *, const char *, const char *, size_t, int);

    /** Gets an extended attribute. Returns its length; with size 0, only that. */
    int (*getxattr)(const char *, const char *, char *, size_t);

    /** Gets the names of the extended attributes. Returns their length; with size 0, only that. */
    int (*listxattr)(const char *, char *, size_t);

    /** Removes an extended attribute. */
    int (*removexattr)(const char *, const char *);

    /** Opens a directory. */
    int (*opendir)(const char *, struct fuse_file_info *);

    /** Gives all entries, or those from an offset on, to a function, with what that wants. */
    int (*readdir)(const char *, void *, fuse_fill_dir_t, off_t, struct fuse_file_info *,
                   enum fuse_readdir_flags);

    /** An open directory is no longer used. */
    int (*releasedir)(const char *, struct fuse_file_info *);

    /** Makes a directory permanent; second argument not 0: its entries only. */
    int (*fsyncdir)(const char *, int, struct fuse_file_info *);

    /** The kernel says hello. What is returned becomes fuse_context::private_data. */
    void *(*init)(struct fuse_conn_info *conn, struct fuse_config *cfg);

    /** The file system ends. */
    void (*destroy)(void *private_data);

    /** Checks permission. Not called with `default_permissions`. */
    int (*access)(const char *, int);

    /** Creates a file and opens it. NULL: `mknod` and `open` are used. */
    int (*create)(const char *, mode_t, struct fuse_file_info *);

    /** Does with a POSIX lock what F_GETLK, F_SETLK or F_SETLKW says. NULL: the kernel locks. */
    int (*lock)(const char *, struct fuse_file_info *, int cmd, struct flock *);

    /** Sets access and modification time, as utimensat(2). `fi` is NULL unless the file is open. */
    int (*utimens)(const char *, const struct timespec tv[2], struct fuse_file_info *fi);

    /** Finds the device block of block `*idx`. Only for block devices. */
    int (*bmap)(const char *, size_t blocksize, uint64_t *idx);

    /** Does an ioctl; `data` is what the caller passes in, and takes out. `cmd` was an `int` before 35. */
#if FUSE_USE_VERSION < 35
    int (*ioctl)(const char *, int cmd, void *arg, struct fuse_file_info *, unsigned int flags,
                 void *data);
#else
    int (*ioctl)(const char *, unsigned int cmd, void *arg, struct fuse_file_info *,
                 unsigned int flags, void *data);
#endif

    /**
     * Says which events are ready. `ph`, unless NULL, is the file system's from now on: for
     * fuse_notify_poll() and then fuse_pollhandle_destroy().
     */
    int (*poll)(const char *, struct fuse_file_info *, struct fuse_pollhandle *ph,
                unsigned *reventsp);

    /** Writes from a buffer vector, see fuse_buf_copy(). Returns the bytes written. */
    int (*write_buf)(const char *, struct fuse_bufvec *buf, off_t off, struct fuse_file_info *);

    /**
     * Reads into a buffer vector. The vector, and memory in it, must be from malloc(3) and is freed
     * by the library; descriptors are not closed.
     */
    int (*read_buf)(const char *, struct fuse_bufvec **bufp, size_t size, off_t off,
                    struct fuse_file_info *);

    /** Takes or drops a flock(2) lock. NULL: the kernel locks. */
    int (*flock)(const char *, struct fuse_file_info *, int op);

    /** Allocates or frees space, as fallocate(2): mode, offset, length. */
    int (*fallocate)(const char *, int, off_t, off_t, struct fuse_file_info *);

    /** Copies from file to file. Returns the bytes copied. */
    ssize_t (*copy_file_range)(const char *path_in, struct fuse_file_info *fi_in, off_t offset_in,
                               const char *path_out, struct fuse_file_info *fi_out,
                               off_t offset_out, size_t size, int flags);

    /** Finds data or a hole. Returns the position. */
    off_t (*lseek)(const char *, off_t off, int whence, struct fuse_file_info *);

#if FUSE_MINOR_VERSION > 14
    /**
     * Gets attributes as statx(2): its flags, its mask. `fi` is NULL unless the file is open. NULL: the
     * kernel makes do with `getattr`.
     */
    int (*statx)(const char *path, int flags, int mask, struct statx *stxbuf,
                 struct fuse_file_info *fi);

    /** Makes everything permanent, as syncfs(2). */
    int (*syncfs)(const char *path);
#endif
};

/** Who a request comes from, and what file system it is for. */
struct fuse_context {
    /** The file system. */
    struct fuse *fuse;

    /** User ID. */
    uid_t uid;

    /** Group ID. */
    gid_t gid;

    /** Thread ID. */
    pid_t pid;

    /** What `init` returned, or what the file system was made with. */
    void *private_data;

    /** umask; set for the operations that create something. */
    mode_t umask;
};

/**
 * Does all that a file system's main() has to do: parses the command line, mounts, becomes a daemon
 * unless told otherwise, handles signals, serves requests and cleans up.
 *
 * @param argc,argv from main(); options not known to the library are errors
 * @param op the operations, `const struct fuse_operations *`
 * @param private_data fuse_context::private_data until `init` returns
 * @return 0 after unmounting, and for help and version; 1 bad command line; 2 no mount point; 3 the
 * file system could not be made; 4 or mounted; 5 no daemon; 6 no signal handlers; 7 no settings for
 * the loop; 8 the loop ended with an error, or by a signal
 */
#if FUSE_MINOR_VERSION > 14
#define fuse_main(argc, argv, op, private_data) fuse_main_fn(argc, argv, op, private_data)

/** What fuse_main() calls, with the version of the headers. */
int fuse_main_real_versioned(int argc, char *argv[], const struct fuse_operations *op,
                             size_t op_size, struct libfuse_version *version, void *private_data);

static inline int fuse_main_fn(int argc, char *argv[], const struct fuse_operations *op,
                               void *private_data)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return fuse_main_real_versioned(argc, argv, op, sizeof(*op), &version, private_data);
}

/** The same with a size; what fuse_main() calls in older headers. */
static inline int fuse_main_real(int argc, char *argv[], const struct fuse_operations *op,
                                 size_t op_size, void *private_data)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return fuse_main_real_versioned(argc, argv, op, op_size, &version, private_data);
}

#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 19)
struct fuse_service;

/** What fuse_service_main() calls, with the version of the headers. */
int fuse_service_main_real_versioned(struct fuse_service *service, struct fuse_args *args,
                                     const struct fuse_operations *op, size_t op_size,
                                     struct libfuse_version *version, void *private_data);

/** Does what fuse_main() does for a file system that was started as a service. */
static inline int fuse_service_main_fn(struct fuse_service *service, struct fuse_args *args,
                                       const struct fuse_operations *op, void *private_data)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

    return fuse_service_main_real_versioned(service, args, op, sizeof(*op), &version,
                                            private_data);
}
#define fuse_service_main(service, args, op, private_data) \
    fuse_service_main_fn(service, args, op, private_data)
#endif
#else
#define fuse_main(argc, argv, op, private_data) \
    fuse_main_real(argc, argv, op, sizeof(*(op)), private_data)

/** What fuse_main() calls. */
int fuse_main_real(int argc, char *argv[], const struct fuse_operations *op, size_t op_size,
                   void *private_data);
#endif

/**
 * Prints the options of the library to standard output.
 *
 * @param args also those of the modules named in here
 */
void fuse_lib_help(struct fuse_args *args);

/**
 * @fn fuse_new
 * Makes a file system that is not mounted yet.
 *
 * With FUSE_USE_VERSION 30 the option `-h` prints the help, and NULL is returned.
 *
 * @param args options, from which those that are known are removed; any that is left is an error.
 * `argv[0]` is skipped.
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_operations)
 * @param private_data fuse_context::private_data until `init` returns
 * @return the file system, or NULL after a message
 */
#if FUSE_MINOR_VERSION > 14
struct fuse *_fuse_new_30(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
                          struct libfuse_version *version, void *private_data);
struct fuse *_fuse_new_31(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
                          struct libfuse_version *version, void *private_data);

static inline struct fuse *fuse_new_fn(struct fuse_args *args, const struct fuse_operations *op,
                                       size_t op_size, void *private_data)
{
    struct libfuse_version version = FUSE_THIS_VERSION;

#if FUSE_USE_VERSION == 30
    return _fuse_new_30(args, op, op_size, &version, private_data);
#else
    return _fuse_new_31(args, op, op_size, &version, private_data);
#endif
}
#define fuse_new(args, op, size, data) fuse_new_fn(args, op, size, data)
#elif FUSE_USE_VERSION == 30
struct fuse *fuse_new_30(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
                         void *private_data);
#define fuse_new(args, op, size, data) fuse_new_30(args, op, size, data)
#else
struct fuse *fuse_new(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
                      void *private_data);
#endif

/**
 * Mounts a file system.
 *
 * @param f the file system
 * @param mountpoint where
 * @return 0, or -1 after a message
 */
int fuse_mount(FUSE_CONST struct fuse *f, const char *mountpoint);

/**
 * Unmounts a file system.
 *
 * @param f the file system
 */
void fuse_unmount(FUSE_CONST struct fuse *f);

/**
 * Frees a file system, after a call of `destroy`. It must not be mounted.
 *
 * @param f the file system
 */
void fuse_destroy(struct fuse *f);

/**
 * Serves requests one after the other, until unmounted or ended.
 *
 * @param f the file system
 * @return 0; the number of the signal that ended it; or -errno
 */
int fuse_loop(struct fuse *f);

/**
 * Makes the loops end.
 *
 * @param f the file system
 */
void fuse_exit(struct fuse *f);

/**
 * @fn fuse_loop_mt
 * Serves requests in several threads, until unmounted or ended.
 *
 * The second argument is, by FUSE_USE_VERSION: below 32 `int clone_fd`; below 312 a struct that the
 * caller fills; from 312 on one from fuse_loop_cfg_create(), or NULL for the defaults.
 *
 * @return 0; the number of the signal that ended it; or -errno
 */
#if FUSE_USE_VERSION < 32
int fuse_loop_mt_31(struct fuse *f, int clone_fd);
#define fuse_loop_mt(f, clone_fd) fuse_loop_mt_31(f, clone_fd)
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
int fuse_loop_mt_32(struct fuse *f, struct fuse_loop_config *config);
#define fuse_loop_mt(f, config) fuse_loop_mt_32(f, config)
#else
int fuse_loop_mt(struct fuse *f, struct fuse_loop_config *config);
#endif

/**
 * The context of the request that the calling thread works on.
 *
 * @return owned by the library, valid until the operation returns; NULL may be returned outside one
 */
struct fuse_context *fuse_get_context(void);

/**
 * The supplementary groups of who asks.
 *
 * @param size how many IDs fit into `list`
 * @param list receives the IDs
 * @return how many groups there are, which may be more than `size`; or -errno
 */
int fuse_getgroups(int size, gid_t list[]);

/**
 * Whether the request that the calling thread works on was interrupted.
 *
 * @return 1 if so, else 0
 */
int fuse_interrupted(void);

/**
 * Drops what the kernel has cached of a file.
 *
 * @param f the file system
 * @param path the file
 * @return 0, or -errno: -ENOENT if nothing is cached
 */
int fuse_invalidate_path(struct fuse *f, const char *path);

/**
 * Starts the thread that forgets nodes when fuse_config::remember is over. The library's own
 * multi-threaded loop does this by itself.
 *
 * @param fuse the file system
 * @return 0, or -1
 */
int fuse_start_cleanup_thread(struct fuse *fuse);

/**
 * Stops the thread of fuse_start_cleanup_thread().
 *
 * @param fuse the file system
 */
void fuse_stop_cleanup_thread(struct fuse *fuse);

/**
 * Forgets nodes for which fuse_config::remember is over. For loops of the caller's own.
 *
 * @param fuse the file system
 * @return when to call it again, in seconds
 */
int fuse_clean_cache(struct fuse *fuse);

/**
 * @name Stacked file systems
 *
 * A module is a file system on top of another one, and calls it by these functions. They do what
 * the operation of the same name does, and return -ENOSYS where there is none.
 * @{
 */

/** A file system in a stack. */
struct fuse_fs;

int fuse_fs_getattr(struct fuse_fs *fs, const char *path, struct stat *buf,
                    struct fuse_file_info *fi);
int fuse_fs_rename(struct fuse_fs *fs, const char *oldpath, const char *newpath,
                   unsigned int flags);
int fuse_fs_unlink(struct fuse_fs *fs, const char *path);
int fuse_fs_rmdir(struct fuse_fs *fs, const char *path);
int fuse_fs_symlink(struct fuse_fs *fs, const char *linkname, const char *path);
int fuse_fs_link(struct fuse_fs *fs, const char *oldpath, const char *newpath);
int fuse_fs_release(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_open(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_read(struct fuse_fs *fs, const char *path, char *buf, size_t size, off_t off,
                 struct fuse_file_info *fi);
int fuse_fs_read_buf(struct fuse_fs *fs, const char *path, struct fuse_bufvec **bufp, size_t size,
                     off_t off, struct fuse_file_info *fi);
int fuse_fs_write(struct fuse_fs *fs, const char *path, const char *buf, size_t size, off_t off,
                  struct fuse_file_info *fi);
int fuse_fs_write_buf(struct fuse_fs *fs, const char *path, struct fuse_bufvec *buf, off_t off,
                      struct fuse_file_info *fi);
int fuse_fs_fsync(struct fuse_fs *fs, const char *path, int datasync, struct fuse_file_info *fi);
int fuse_fs_flush(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_statfs(struct fuse_fs *fs, const char *path, struct statvfs *buf);
int fuse_fs_opendir(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_readdir(struct fuse_fs *fs, const char *path, void *buf, fuse_fill_dir_t filler,
                    off_t off, struct fuse_file_info *fi, enum fuse_readdir_flags flags);
int fuse_fs_fsyncdir(struct fuse_fs *fs, const char *path, int datasync,
                     struct fuse_file_info *fi);
int fuse_fs_releasedir(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_create(struct fuse_fs *fs, const char *path, mode_t mode, struct fuse_file_info *fi);
int fuse_fs_lock(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi, int cmd,
                 struct flock *lock);
int fuse_fs_flock(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi, int op);
int fuse_fs_chmod(struct fuse_fs *fs, const char *path, mode_t mode, struct fuse_file_info *fi);
int fuse_fs_chown(struct fuse_fs *fs, const char *path, uid_t uid, gid_t gid,
                  struct fuse_file_info *fi);
int fuse_fs_truncate(struct fuse_fs *fs, const char *path, off_t size, struct fuse_file_info *fi);
int fuse_fs_utimens(struct fuse_fs *fs, const char *path, const struct timespec tv[2],
                    struct fuse_file_info *fi);
int fuse_fs_access(struct fuse_fs *fs, const char *path, int mask);
int fuse_fs_readlink(struct fuse_fs *fs, const char *path, char *buf, size_t len);
int fuse_fs_mknod(struct fuse_fs *fs, const char *path, mode_t mode, dev_t rdev);
int fuse_fs_mkdir(struct fuse_fs *fs, const char *path, mode_t mode);
int fuse_fs_setxattr(struct fuse_fs *fs, const char *path, const char *name, const char *value,
                     size_t size, int flags);
int fuse_fs_getxattr(struct fuse_fs *fs, const char *path, const char *name, char *value,
                     size_t size);
int fuse_fs_listxattr(struct fuse_fs *fs, const char *path, char *list, size_t size);
int fuse_fs_removexattr(struct fuse_fs *fs, const char *path, const char *name);
int fuse_fs_bmap(struct fuse_fs *fs, const char *path, size_t blocksize, uint64_t *idx);
#if FUSE_USE_VERSION < 35
int fuse_fs_ioctl(struct fuse_fs *fs, const char *path, int cmd, void *arg,
                  struct fuse_file_info *fi, unsigned int flags, void *data);
#else
int fuse_fs_ioctl(struct fuse_fs *fs, const char *path, unsigned int cmd, void *arg,
                  struct fuse_file_info *fi, unsigned int flags, void *data);
#endif
int fuse_fs_poll(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi,
                 struct fuse_pollhandle *ph, unsigned *reventsp);
int fuse_fs_fallocate(struct fuse_fs *fs, const char *path, int mode, off_t offset, off_t length,
                      struct fuse_file_info *fi);
ssize_t fuse_fs_copy_file_range(struct fuse_fs *fs, const char *path_in,
                                struct fuse_file_info *fi_in, off_t off_in, const char *path_out,
                                struct fuse_file_info *fi_out, off_t off_out, size_t len,
                                int flags);
off_t fuse_fs_lseek(struct fuse_fs *fs, const char *path, off_t off, int whence,
                    struct fuse_file_info *fi);
#if FUSE_MINOR_VERSION > 14
int fuse_fs_statx(struct fuse_fs *fs, const char *path, int flags, int mask, struct statx *stxbuf,
                  struct fuse_file_info *fi);
#endif
void fuse_fs_init(struct fuse_fs *fs, struct fuse_conn_info *conn, struct fuse_config *cfg);
void fuse_fs_destroy(struct fuse_fs *fs);

/**
 * Says that the events of a `poll` may have happened.
 *
 * @param ph the handle; stays the caller's
 * @return 0, or -errno
 */
int fuse_notify_poll(struct fuse_pollhandle *ph);

/**
 * Makes a file system for a stack.
 *
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_operations)
 * @param private_data fuse_context::private_data while one of them runs
 * @return the file system, or NULL after a message
 */
struct fuse_fs *fuse_fs_new(const struct fuse_operations *op, size_t op_size, void *private_data);

/**
 * Makes the file system of a module.
 *
 * @param args options, from which the module removes its own
 * @param fs the file systems below, NULL-terminated
 * @return the file system, or NULL after a message
 */
typedef struct fuse_fs *(*fuse_module_factory_t)(struct fuse_args *args, struct fuse_fs *fs[]);

/**
 * Defines the variable by which the library finds the factory of a module in `libfusemod_NAME.so`.
 *
 * @param name_ the name of the module, as in `-o modules=`
 * @param factory_ the factory
 */
#define FUSE_REGISTER_MODULE(name_, factory_) \
    fuse_module_factory_t fuse_module_##name_##_factory = factory_

/** @} */

/**
 * The session below a file system.
 *
 * @param f the file system
 * @return owned by the file system
 */
struct fuse_session *fuse_get_session(FUSE_CONST struct fuse *f);

/**
 * Mounts without serving requests.
 *
 * @param mountpoint where
 * @param options mount options, separated by commas
 * @return the device descriptor, which is the caller's; -1 after a message
 */
int fuse_open_channel(const char *mountpoint, const char *options);

#ifdef __cplusplus
}
#endif

#endif /* FUSE_H_ */
