/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The high-level API and its file systems; what `bad_args.h` says. */
#include "bad_args.h"

#include <fuse.h>
#include <stdlib.h>
#include <sys/statvfs.h>

/* What programs of older API levels call. */
struct fuse *fuse_new_30(struct fuse_args *args, const struct fuse_operations *op, size_t op_size,
			 void *private_data);
int fuse_loop_mt_31(struct fuse *f, int clone_fd);
int fuse_loop_mt_32(struct fuse *f, struct fuse_loop_config *config);

/* Every operation with nothing at all, on `fs`. */
static void operations(struct fuse_fs *fs, int missing, int done)
{
	IS(missing, fuse_fs_getattr(fs, NULL, NULL, NULL));
	IS(missing, fuse_fs_rename(fs, NULL, NULL, UINT_MAX));
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
	IS(missing, fuse_fs_readdir(fs, NULL, NULL, NULL, -1, NULL, UINT_MAX));
	IS(missing, fuse_fs_fsyncdir(fs, NULL, -1, NULL));
	IS(done, fuse_fs_releasedir(fs, NULL, NULL));
	IS(missing, fuse_fs_create(fs, NULL, UINT_MAX, NULL));
	IS(missing, fuse_fs_lock(fs, NULL, NULL, -1, NULL));
	IS(missing, fuse_fs_flock(fs, NULL, NULL, -1));
	IS(missing, fuse_fs_chmod(fs, NULL, UINT_MAX, NULL));
	IS(missing, fuse_fs_chown(fs, NULL, -1, -1, NULL));
	IS(missing, fuse_fs_truncate(fs, NULL, -1, NULL));
	IS(missing, fuse_fs_utimens(fs, NULL, NULL, NULL));
	IS(missing, fuse_fs_access(fs, NULL, -1));
	IS(missing, fuse_fs_readlink(fs, NULL, NULL, SIZE_MAX));
	IS(missing, fuse_fs_mknod(fs, NULL, UINT_MAX, -1));
	IS(missing, fuse_fs_mkdir(fs, NULL, UINT_MAX));
	IS(missing, fuse_fs_setxattr(fs, NULL, NULL, NULL, SIZE_MAX, -1));
	IS(missing, fuse_fs_getxattr(fs, NULL, NULL, NULL, SIZE_MAX));
	IS(missing, fuse_fs_listxattr(fs, NULL, NULL, SIZE_MAX));
	IS(missing, fuse_fs_removexattr(fs, NULL, NULL));
	IS(missing, fuse_fs_bmap(fs, NULL, SIZE_MAX, NULL));
	IS(missing, fuse_fs_ioctl(fs, NULL, UINT_MAX, NULL, NULL, UINT_MAX, NULL));
	IS(missing, fuse_fs_poll(fs, NULL, NULL, NULL, NULL));
	IS(missing, fuse_fs_fallocate(fs, NULL, -1, -1, -1, NULL));
	IS(missing, fuse_fs_copy_file_range(fs, NULL, NULL, -1, NULL, NULL, -1, SIZE_MAX, -1));
	IS(missing, fuse_fs_lseek(fs, NULL, -1, -1, NULL));
	RETURNS(fuse_fs_init(fs, NULL, NULL));
}

static void no_filesystem(void)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_operations ops = { .getattr = NULL };
	struct fuse_args negative = FUSE_ARGS_INIT(-3, NULL);

	IS_NULL(fuse_new(NULL, NULL, 0, NULL));
	IS_NULL(fuse_new(&negative, &ops, sizeof(ops), NULL));
	IS_NULL(fuse_new_30(NULL, &ops, sizeof(ops), NULL));
	IS(-1, fuse_mount(NULL, "/nowhere"));
	RETURNS(fuse_unmount(NULL));
	RETURNS(fuse_destroy(NULL));
	RETURNS(fuse_exit(NULL));
	IS(-1, fuse_loop(NULL));
	IS(-1, fuse_loop_mt(NULL, config));
	IS(-1, fuse_loop_mt_31(NULL, -1));
	IS(-1, fuse_loop_mt_32(NULL, NULL));
	IS(-EINVAL, fuse_invalidate_path(NULL, "/a"));
	IS(-1, fuse_start_cleanup_thread(NULL));
	RETURNS(fuse_stop_cleanup_thread(NULL));
	RETURNS(fuse_clean_cache(NULL));
	IS_NULL(fuse_get_session(NULL));
	IS(0, fuse_notify_poll(NULL));
	/* Outside of any request. */
	RETURNS(fuse_get_context());
	IS(-EINVAL, fuse_getgroups(-1, NULL));
	IS(0, fuse_interrupted());
	fuse_loop_cfg_destroy(config);
}

void bad_paths(void)
{
	struct fuse_operations ops = { .getattr = NULL };
	char *words[] = { "program", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);
	struct fuse *fuse;
	struct fuse_fs *fs;

	no_filesystem();
	RETURNS(fuse_fs_destroy(fuse_fs_new(NULL, sizeof(ops), NULL)));
	operations(NULL, -EINVAL, -EINVAL);
	fs = fuse_fs_new(&ops, 0, NULL);
	operations(fs, -ENOSYS, 0);
	RETURNS(fuse_fs_destroy(fs));
	RETURNS(fuse_fs_destroy(NULL));

	fuse = fuse_new(&args, &ops, sizeof(ops), NULL);
	IS(-EINVAL, fuse_invalidate_path(fuse, NULL));
	IS(-ENOTCONN, fuse_invalidate_path(fuse, ""));
	IS(-1, fuse_mount(fuse, NULL));
	IS(-1, fuse_mount(fuse, "/nowhere/at/all"));
	IS(-EBADF, fuse_loop(fuse));
	IS(-EBADF, fuse_loop_mt(fuse, NULL));
	RETURNS(fuse_unmount(fuse));
	RETURNS(fuse_destroy(fuse));
}
