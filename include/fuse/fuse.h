/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * The high-level interface: a file system answers requests about paths.
 *
 * Define FUSE_USE_VERSION before including this file, to the interface version the program was
 * written for: 11, 21, 22, 25, or 26 to 29. Without it that is 21.
 */

#ifndef _FUSE_H_
#define _FUSE_H_

#ifndef FUSE_USE_VERSION
#define FUSE_USE_VERSION 21
#endif

#include "fuse_common.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <utime.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A mounted, or mountable, file system. */
struct fuse;

/** A command, see fuse_read_cmd(). */
struct fuse_cmd;

/**
 * Takes an entry from `readdir`.
 *
 * With offset 0 for all entries the whole directory is given in one go; with offsets other than 0
 * the listing can go on later from any of them.
 *
 * @param buf what `readdir` was given
 * @param name the name
 * @param stbuf inode number and type count; or NULL
 * @param off the offset of the entry after this one, or 0
 * @return 1 if the buffer is full: return from `readdir`; else 0
 */
typedef int (*fuse_fill_dir_t)(void *buf, const char *name, const struct stat *stbuf, off_t off);

/** What `getdir` fills. */
typedef struct fuse_dirhandle *fuse_dirh_t;

/**
 * Takes an entry from `getdir`.
 *
 * @param h what `getdir` was given
 * @param name the name
 * @param type its type, as in dirent::d_type
 * @param ino its inode number; only shown with `use_ino`
 * @return 0, or -errno, to be returned from `getdir`
 */
typedef int (*fuse_dirfil_t)(fuse_dirh_t h, const char *name, int type, ino_t ino);

/**
 * The operations of a file system.
 *
 * They return 0 or a number where that is said, or -errno. Any may be NULL: then -ENOSYS is
 * returned, but `open`, `opendir`, `release`, `releasedir` and `statfs` succeed. They may be called
 * in several threads at once, unless `-s` was given. Paths begin with "/", and are valid during the
 * call. What is called without a path, and when, the flags say.
 */
struct fuse_operations {
    /** Gets attributes. */
    int (*getattr)(const char *, struct stat *);

    /** Gets the target of a symbolic link, cut if the buffer is too small, and NUL-terminated. */
    int (*readlink)(const char *, char *, size_t);

    /** Gives all entries to a function, with what that wants. `readdir` goes before it. */
    int (*getdir)(const char *, fuse_dirh_t, fuse_dirfil_t);

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

    /** Renames. */
    int (*rename)(const char *, const char *);

    /** Gives a file, the first path, another name. */
    int (*link)(const char *, const char *);

    /** Changes permissions. */
    int (*chmod)(const char *, mode_t);

    /** Changes owner and group, -1 for neither. */
    int (*chown)(const char *, uid_t, gid_t);

    /** Changes the size. */
    int (*truncate)(const char *, off_t);

    /** Sets access and modification time, in seconds. `utimens` goes before it. */
    int (*utime)(const char *, struct utimbuf *);

    /** Opens a file. `fi->fh` and the caching bits may be set. Never with O_CREAT or O_EXCL. */
    int (*open)(const char *, struct fuse_file_info *);

    /** Reads. Returns the bytes read: fewer than asked for only at end of file. */
    int (*read)(const char *, char *, size_t, off_t, struct fuse_file_info *);

    /** Writes. Returns the bytes written. */
    int (*write)(const char *, const char *, size_t, off_t, struct fuse_file_info *);

    /** Gets statistics. `f_frsize`, `f_favail`, `f_fsid` and `f_flag` are ignored. */
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

    /** Opens a directory. Since 2.3. */
    int (*opendir)(const char *, struct fuse_file_info *);

    /** Gives all entries, or those from an offset on, to a function, with what that wants. Since 2.3. */
    int (*readdir)(const char *, void *, fuse_fill_dir_t, off_t, struct fuse_file_info *);

    /** An open directory is no longer used. Since 2.3. */
    int (*releasedir)(const char *, struct fuse_file_info *);

    /** Makes a directory permanent; second argument not 0: its entries only. Since 2.3. */
    int (*fsyncdir)(const char *, int, struct fuse_file_info *);

    /** The kernel says hello. What is returned becomes fuse_context::private_data. Since 2.3. */
    void *(*init)(struct fuse_conn_info *conn);

    /** The file system ends. Since 2.3. */
    void (*destroy)(void *);

    /** Checks permission. Not called with `default_permissions`. Since 2.5. */
    int (*access)(const char *, int);

    /** Creates a file and opens it. NULL: `mknod` and `open` are used. Since 2.5. */
    int (*create)(const char *, mode_t, struct fuse_file_info *);

    /** Changes the size of an open file. NULL: `truncate` is used. Since 2.5. */
    int (*ftruncate)(const char *, off_t, struct fuse_file_info *);

    /** Gets the attributes of an open file. NULL: `getattr` is used. Since 2.5. */
    int (*fgetattr)(const char *, struct stat *, struct fuse_file_info *);

    /** Does with a POSIX lock what F_GETLK, F_SETLK or F_SETLKW says. NULL: the kernel locks. Since 2.6. */
    int (*lock)(const char *, struct fuse_file_info *, int cmd, struct flock *);

    /** Sets access and modification time, as utimensat(2); see `flag_utime_omit_ok`. Since 2.6. */
    int (*utimens)(const char *, const struct timespec tv[2]);

    /** Finds the device block of block `*idx`. Only for block devices. Since 2.6. */
    int (*bmap)(const char *, size_t blocksize, uint64_t *idx);

    /**
     * Whether `read`, `write`, `flush`, `release`, `fsync`, `readdir`, `releasedir`, `fsyncdir`,
     * `ftruncate`, `fgetattr`, `lock`, `ioctl` and `poll` take NULL for the path of a file that was
     * removed while open. Without it they are not called for those, but the last ones, with "-".
     */
    unsigned int flag_nullpath_ok : 1;

    /** Whether they need no path at all, also of files that are there. Since 2.9. */
    unsigned int flag_nopath : 1;

    /** Whether `utimens` knows UTIME_NOW and UTIME_OMIT. Since 2.9. */
    unsigned int flag_utime_omit_ok : 1;

    /** Unused; zero. */
    unsigned int flag_reserved : 29;

    /** Does an ioctl. `data` is what the caller passes in and gets back. Since 2.8. */
    int (*ioctl)(const char *, int cmd, void *arg, struct fuse_file_info *, unsigned int flags,
                 void *data);

    /**
     * Says which events are ready. `ph`, unless NULL, is the file system's from now on: for
     * fuse_notify_poll() and then fuse_pollhandle_destroy(). Since 2.8.
     */
    int (*poll)(const char *, struct fuse_file_info *, struct fuse_pollhandle *ph,
                unsigned *reventsp);

    /** Writes from a buffer vector, see fuse_buf_copy(). Returns the bytes written. Since 2.9. */
    int (*write_buf)(const char *, struct fuse_bufvec *buf, off_t off, struct fuse_file_info *);

    /**
     * Reads into a buffer vector. The vector, and memory in it, must be from malloc(3) and is freed
     * by the library; descriptors are not closed. Since 2.9.
     */
    int (*read_buf)(const char *, struct fuse_bufvec **bufp, size_t size, off_t off,
                    struct fuse_file_info *);

    /** Takes or drops a flock(2) lock. NULL: the kernel locks. Since 2.9. */
    int (*flock)(const char *, struct fuse_file_info *, int op);

    /** Allocates or frees space, as fallocate(2): mode, offset, length. Since 2.9.1. */
    int (*fallocate)(const char *, int, off_t, off_t, struct fuse_file_info *);
};

/** Who a request comes from, and what file system it is for. `umask` is there since 2.8. */
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
 * @param user_data fuse_context::private_data until `init` returns
 * @return 0 after unmounting and after a signal; 1 for every failure, and for help and version
 */
#define fuse_main(argc, argv, op, user_data) \
    fuse_main_real(argc, argv, op, sizeof(*(op)), user_data)

/** What fuse_main() calls. */
int fuse_main_real(int argc, char *argv[], const struct fuse_operations *op, size_t op_size,
                   void *user_data);

/**
 * Makes a file system.
 *
 * @param ch the channel, from fuse_mount(); it belongs to the file system from now on
 * @param args options, from which those that are known are removed; any that is left is an error.
 * `argv[0]` is skipped.
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_operations)
 * @param user_data fuse_context::private_data until `init` returns
 * @return the file system, or NULL after a message
 */
struct fuse *fuse_new(struct fuse_chan *ch, struct fuse_args *args,
                      const struct fuse_operations *op, size_t op_size, void *user_data);

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
 * @return 0, or -1
 */
int fuse_loop(struct fuse *f);

/**
 * Serves requests in several threads, until unmounted or ended.
 *
 * @param f the file system
 * @return 0, or -1
 */
int fuse_loop_mt(struct fuse *f);

/**
 * Makes the loops end.
 *
 * @param f the file system
 */
void fuse_exit(struct fuse *f);

/**
 * Whether the loops are to end.
 *
 * @param f the file system
 * @return non-zero if so
 */
int fuse_exited(struct fuse *f);

/**
 * Parses the command line, mounts, makes the file system, becomes a daemon and handles signals.
 *
 * @param argc,argv from main()
 * @param op the operations; copied
 * @param op_size sizeof(struct fuse_operations)
 * @param mountpoint receives a string, for fuse_teardown()
 * @param multithreaded receives 0 if `-s` was given, else 1
 * @param user_data fuse_context::private_data until `init` returns
 * @return the file system, or NULL after a message
 */
struct fuse *fuse_setup(int argc, char *argv[], const struct fuse_operations *op, size_t op_size,
                        char **mountpoint, int *multithreaded, void *user_data);

/**
 * Ends what fuse_setup() began.
 *
 * @param fuse the file system
 * @param mountpoint from fuse_setup(); freed
 */
void fuse_teardown(struct fuse *fuse, char *mountpoint);

/**
 * @name Loops of the caller's own
 * @{
 */

/**
 * Reads a request.
 *
 * @param f the file system
 * @return the request, for fuse_process_cmd(); NULL if there is none or the loop is to end
 */
struct fuse_cmd *fuse_read_cmd(struct fuse *f);

/**
 * Serves a request.
 *
 * @param f the file system
 * @param cmd the request; freed
 */
void fuse_process_cmd(struct fuse *f, struct fuse_cmd *cmd);

/** What is called for each request by fuse_loop_mt_proc(). */
typedef void (*fuse_processor_t)(struct fuse *f, struct fuse_cmd *cmd, void *data);

/**
 * Reads requests in several threads and has each served by a function.
 *
 * @param f the file system
 * @param proc the function; it is to call fuse_process_cmd()
 * @param data handed to it
 * @return 0, or -1
 */
int fuse_loop_mt_proc(struct fuse *f, fuse_processor_t proc, void *data);

/** @} */

/**
 * Whether the library knows an option.
 *
 * @param opt the option, without `-o`
 * @return 1 if so, else 0
 */
int fuse_is_lib_option(const char *opt);

/**
 * Was to replace fuse_get_context(). Does nothing.
 *
 * @param func ignored
 */
void fuse_set_getcontext_func(struct fuse_context *(*func)(void));

/**
 * The context of the request that the calling thread works on.
 *
 * @return owned by the library, valid until the operation returns; all zero outside one
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
 * Was to drop what the kernel has cached of a file. Does nothing.
 *
 * @param f ignored
 * @param path ignored
 * @return -EINVAL
 */
int fuse_invalidate(struct fuse *f, const char *path);

/**
 * Starts the thread that forgets nodes when the time of `-o remember=` is over. The library's own
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
 * Forgets nodes for which the time of `-o remember=` is over. For loops of the caller's own.
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

int fuse_fs_getattr(struct fuse_fs *fs, const char *path, struct stat *buf);
int fuse_fs_fgetattr(struct fuse_fs *fs, const char *path, struct stat *buf,
                     struct fuse_file_info *fi);
int fuse_fs_rename(struct fuse_fs *fs, const char *oldpath, const char *newpath);
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
                    off_t off, struct fuse_file_info *fi);
int fuse_fs_fsyncdir(struct fuse_fs *fs, const char *path, int datasync, struct fuse_file_info *fi);
int fuse_fs_releasedir(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi);
int fuse_fs_create(struct fuse_fs *fs, const char *path, mode_t mode, struct fuse_file_info *fi);
int fuse_fs_lock(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi, int cmd,
                 struct flock *lock);
int fuse_fs_flock(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi, int op);
int fuse_fs_chmod(struct fuse_fs *fs, const char *path, mode_t mode);
int fuse_fs_chown(struct fuse_fs *fs, const char *path, uid_t uid, gid_t gid);
int fuse_fs_truncate(struct fuse_fs *fs, const char *path, off_t size);
int fuse_fs_ftruncate(struct fuse_fs *fs, const char *path, off_t size, struct fuse_file_info *fi);
int fuse_fs_utimens(struct fuse_fs *fs, const char *path, const struct timespec tv[2]);
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
int fuse_fs_ioctl(struct fuse_fs *fs, const char *path, int cmd, void *arg,
                  struct fuse_file_info *fi, unsigned int flags, void *data);
int fuse_fs_poll(struct fuse_fs *fs, const char *path, struct fuse_file_info *fi,
                 struct fuse_pollhandle *ph, unsigned int *reventsp);
int fuse_fs_fallocate(struct fuse_fs *fs, const char *path, int mode, off_t offset, off_t length,
                      struct fuse_file_info *fi);
void fuse_fs_init(struct fuse_fs *fs, struct fuse_conn_info *conn);
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

/** A module: makes a file system on top of another one. */
struct fuse_module {
    /** Its name, as in `-o modules=`. */
    const char *name;

    /**
     * Makes the file system.
     *
     * @param args options, from which the module removes its own
     * @param fs the file systems below, NULL-terminated
     * @return the file system, or NULL after a message
     */
    struct fuse_fs *(*factory)(struct fuse_args *args, struct fuse_fs *fs[]);

    /** The library's. */
    struct fuse_module *next;
    /** The library's. */
    struct fusemod_so *so;
    /** The library's. */
    int ctr;
};

/**
 * Makes a module known.
 *
 * @param mod the module; the library's from now on
 */
void fuse_register_module(struct fuse_module *mod);

/**
 * Defines the variable by which the library finds a module in `libfusemod_NAME.so`.
 *
 * @param name_ the name of the module, as in `-o modules=`
 * @param factory_ its factory
 */
#define FUSE_REGISTER_MODULE(name_, factory_) \
    struct fuse_module fuse_fusemod_##name_##_module = { #name_, factory_, NULL, NULL, 0 };

/** @} */

/**
 * The session below a file system.
 *
 * @param f the file system
 * @return owned by the file system
 */
struct fuse_session *fuse_get_session(struct fuse *f);

#ifdef __cplusplus
}
#endif

/* Older interfaces: the names of today stand for the functions of then. */
#if FUSE_USE_VERSION < 26
#include "fuse_compat.h"
#undef fuse_main
#if FUSE_USE_VERSION == 25
#define fuse_main(argc, argv, op) fuse_main_real_compat25(argc, argv, op, sizeof(*(op)))
#define fuse_new fuse_new_compat25
#define fuse_setup fuse_setup_compat25
#define fuse_teardown fuse_teardown_compat22
#define fuse_operations fuse_operations_compat25
#elif FUSE_USE_VERSION == 22
#define fuse_main(argc, argv, op) fuse_main_real_compat22(argc, argv, op, sizeof(*(op)))
#define fuse_new fuse_new_compat22
#define fuse_setup fuse_setup_compat22
#define fuse_teardown fuse_teardown_compat22
#define fuse_operations fuse_operations_compat22
#define fuse_file_info fuse_file_info_compat
#elif FUSE_USE_VERSION == 24
#error "there is no high-level interface of FUSE_USE_VERSION 24: use 22 or 25"
#else
#define fuse_dirfil_t fuse_dirfil_t_compat
#define __fuse_read_cmd fuse_read_cmd
#define __fuse_process_cmd fuse_process_cmd
#define __fuse_loop_mt fuse_loop_mt_proc
#if FUSE_USE_VERSION == 21
#define fuse_operations fuse_operations_compat2
#define fuse_main fuse_main_compat2
#define fuse_new fuse_new_compat2
#define __fuse_setup fuse_setup_compat2
#define __fuse_teardown fuse_teardown_compat22
#define __fuse_exited fuse_exited
#define __fuse_set_getcontext_func fuse_set_getcontext_func
#else
#define fuse_statfs fuse_statfs_compat1
#define fuse_operations fuse_operations_compat1
#define fuse_main fuse_main_compat1
#define fuse_new fuse_new_compat1
#define FUSE_DEBUG FUSE_DEBUG_COMPAT1
#endif
#endif
#endif

#endif /* _FUSE_H_ */
