/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The path-based interface and its file systems; what `bad_args2.h` says. */
#include "bad_args2.h"

#include <fuse.h>
#include <stdlib.h>
#include <sys/statvfs.h>

/* What programs of older interfaces call; their structs are never looked into here. */
int fuse_main_compat1(int argc, char *argv[], const void *op);
int fuse_main_compat2(int argc, char *argv[], const void *op);
int fuse_main_real_compat22(int argc, char *argv[], const void *op, size_t op_size);
int fuse_main_real_compat25(int argc, char *argv[], const void *op, size_t op_size);
struct fuse *fuse_new_compat1(int fd, int flags, const void *op);
struct fuse *fuse_new_compat2(int fd, const char *opts, const void *op);
struct fuse *fuse_new_compat22(int fd, const char *opts, const void *op, size_t op_size);
struct fuse *fuse_new_compat25(int fd, struct fuse_args *args, const void *op, size_t op_size);
struct fuse *fuse_setup_compat2(int argc, char *argv[], const void *op, char **mountpoint, int *mt, int *fd);
struct fuse *fuse_setup_compat22(int argc, char *argv[], const void *op, size_t op_size, char **mountpoint,
                                 int *mt, int *fd);
struct fuse *fuse_setup_compat25(int argc, char *argv[], const void *op, size_t op_size, char **mountpoint,
                                 int *mt, int *fd);
void fuse_teardown_compat22(struct fuse *fuse, int fd, char *mountpoint);

/* Every operation with nothing at all, on `fs`. */
static void operations(struct fuse_fs *fs, int missing, int done)
{
    IS(missing, fuse_fs_getattr(fs, NULL, NULL));
    IS(missing, fuse_fs_fgetattr(fs, NULL, NULL, NULL));
    IS(missing, fuse_fs_rename(fs, NULL, NULL));
    IS(missing, fuse_fs_unlink(fs, NULL));
    IS(missing, fuse_fs_rmdir(fs, NULL));
    IS(missing, fuse_fs_symlink(fs, NULL, NULL));
    IS(missing, fuse_fs_link(fs, NULL, NULL));
    IS(done, fuse_fs_release(fs, NULL, NULL));
    IS(done, fuse_fs_open(fs, NULL, NULL));
    IS(missing, fuse_fs_read(fs, NULL, NULL, SIZE_MAX, -1, NULL));
    IS(missing, fuse_fs_read_buf(fs, NULL, NULL, SIZE_MAX, -1, NULL));
    IS(missing, fuse_fs_write(fs, NULL, NULL, SIZE_MAX, -1, NULL));
    IS(missing, fuse_fs_write_buf(fs, NULL, NULL, -1, NULL));
    IS(missing, fuse_fs_fsync(fs, NULL, -1, NULL));
    IS(missing, fuse_fs_flush(fs, NULL, NULL));
    IS(done, fuse_fs_statfs(fs, NULL, NULL));
    IS(done, fuse_fs_opendir(fs, NULL, NULL));
    IS(missing, fuse_fs_readdir(fs, NULL, NULL, NULL, -1, NULL));
    IS(missing, fuse_fs_fsyncdir(fs, NULL, -1, NULL));
    IS(done, fuse_fs_releasedir(fs, NULL, NULL));
    IS(missing, fuse_fs_create(fs, NULL, UINT_MAX, NULL));
    IS(missing, fuse_fs_lock(fs, NULL, NULL, -1, NULL));
    IS(missing, fuse_fs_flock(fs, NULL, NULL, -1));
    IS(missing, fuse_fs_chmod(fs, NULL, UINT_MAX));
    IS(missing, fuse_fs_chown(fs, NULL, -1, -1));
    IS(missing, fuse_fs_truncate(fs, NULL, -1));
    IS(missing, fuse_fs_ftruncate(fs, NULL, -1, NULL));
    IS(missing, fuse_fs_utimens(fs, NULL, NULL));
    IS(missing, fuse_fs_access(fs, NULL, -1));
    IS(missing, fuse_fs_readlink(fs, NULL, NULL, SIZE_MAX));
    IS(missing, fuse_fs_mknod(fs, NULL, UINT_MAX, -1));
    IS(missing, fuse_fs_mkdir(fs, NULL, UINT_MAX));
    IS(missing, fuse_fs_setxattr(fs, NULL, NULL, NULL, SIZE_MAX, -1));
    IS(missing, fuse_fs_getxattr(fs, NULL, NULL, NULL, SIZE_MAX));
    IS(missing, fuse_fs_listxattr(fs, NULL, NULL, SIZE_MAX));
    IS(missing, fuse_fs_removexattr(fs, NULL, NULL));
    IS(missing, fuse_fs_bmap(fs, NULL, SIZE_MAX, NULL));
    IS(missing, fuse_fs_ioctl(fs, NULL, -1, NULL, NULL, UINT_MAX, NULL));
    IS(missing, fuse_fs_poll(fs, NULL, NULL, NULL, NULL));
    IS(missing, fuse_fs_fallocate(fs, NULL, -1, -1, -1, NULL));
    RETURNS(fuse_fs_init(fs, NULL));
}

static void no_filesystem(void)
{
    RETURNS(fuse_destroy(NULL));
    IS(-1, fuse_loop(NULL));
    IS(-1, fuse_loop_mt(NULL));
    IS(-1, fuse_loop_mt_proc(NULL, NULL, NULL));
    RETURNS(fuse_exit(NULL));
    IS(1, fuse_exited(NULL));
    RETURNS(fuse_teardown(NULL, NULL));
    RETURNS(fuse_teardown_compat22(NULL, -1, NULL));
    IS_NULL(fuse_read_cmd(NULL));
    RETURNS(fuse_process_cmd(NULL, NULL));
    RETURNS(fuse_set_getcontext_func(NULL));
    RETURNS(fuse_get_context());
    RETURNS(fuse_getgroups(-1, NULL));
    IS(0, fuse_interrupted());
    RETURNS(fuse_invalidate(NULL, NULL));
    IS(-1, fuse_start_cleanup_thread(NULL));
    RETURNS(fuse_stop_cleanup_thread(NULL));
    RETURNS(fuse_clean_cache(NULL));
    IS(0, fuse_notify_poll(NULL));
    RETURNS(fuse_register_module(NULL));
    IS_NULL(fuse_get_session(NULL));
    /* A file system without operations, over a device that is none. */
    RETURNS(fuse_destroy(fuse_new_compat1(-1, -1, NULL)));
    RETURNS(fuse_destroy(fuse_new_compat2(-1, NULL, NULL)));
    RETURNS(fuse_destroy(fuse_new_compat22(-1, NULL, NULL, 0)));
    RETURNS(fuse_destroy(fuse_new_compat25(-1, NULL, NULL, 0)));
}

/* Command lines without a place to mount on. */
static void no_command_line(void)
{
    char *words[] = { "program", NULL }, *mountpoint;
    int threads, fd;

    IS_NULL(fuse_setup(1, words, NULL, 0, NULL, NULL, NULL));
    IS_NULL(fuse_setup(0, NULL, NULL, 0, &mountpoint, &threads, NULL));
    IS_NULL(fuse_setup_compat2(1, words, NULL, NULL, NULL, NULL));
    IS_NULL(fuse_setup_compat22(1, words, NULL, 0, NULL, NULL, NULL));
    IS_NULL(fuse_setup_compat25(1, words, NULL, 0, &mountpoint, &threads, &fd));
    IS(1, fuse_main_compat2(1, words, NULL));
    IS(1, fuse_main_real_compat22(1, words, NULL, 0));
    IS(1, fuse_main_real_compat25(1, words, NULL, 0));
    RETURNS(fuse_main_compat1(1, words, NULL));
}

void bad_paths(void)
{
    struct fuse_operations ops = { .getattr = NULL };
    struct fuse_fs *fs;

    no_filesystem();
    no_command_line();
    RETURNS(fuse_fs_destroy(fuse_fs_new(NULL, sizeof(ops), NULL)));
    operations(NULL, -EINVAL, -EINVAL);
    fs = fuse_fs_new(&ops, 0, NULL);
    operations(fs, -ENOSYS, 0);
    RETURNS(fuse_fs_destroy(fs));
    RETURNS(fuse_fs_destroy(NULL));
    RETURNS(fuse_destroy(fuse_new(NULL, NULL, NULL, 0, NULL)));
}
