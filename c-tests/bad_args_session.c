/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sessions and requests; what `bad_args.h` says. */
#include "bad_args.h"

#include <cuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What programs of older API levels call, and one that no header of the low-level API has. */
int fuse_session_loop_mt_31(struct fuse_session *se, int clone_fd);
int fuse_session_loop_mt_32(struct fuse_session *se, struct fuse_loop_config *config);
int fuse_open_channel(const char *mountpoint, const char *options);

#if FUSE_MINOR_VERSION > 14
#define EXPIRE(se, name) fuse_lowlevel_notify_expire_entry(se, 1, name, 1)
#else
#define EXPIRE(se, name) fuse_lowlevel_notify_expire_entry(se, 1, name, 1, FUSE_LL_EXPIRE_ONLY)
#endif

/* No request, and never one. */
#define GARBAGE ((fuse_req_t)(uintptr_t)0x123456789)

static void bad_new_sessions(void)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL), negative = FUSE_ARGS_INIT(-5, NULL);
	char *words[] = { "program", NULL };
	struct fuse_args good = FUSE_ARGS_INIT(1, words);
	const struct fuse_lowlevel_ops ops = { 0 };
	const struct cuse_lowlevel_ops device_ops = { 0 };
	const struct cuse_info info = { 0 };
	int threads;

	IS_NULL(fuse_session_new(NULL, NULL, 0, NULL));
	IS_NULL(fuse_session_new(&args, &ops, sizeof(ops), NULL));
	IS_NULL(fuse_session_new(&negative, &ops, sizeof(ops), NULL));
	IS_NULL(cuse_lowlevel_new(NULL, NULL, NULL, NULL));
	IS_NULL(cuse_lowlevel_new(&good, NULL, &device_ops, NULL));
	IS_NULL(cuse_lowlevel_new(&good, &info, NULL, NULL));
	IS_NULL(cuse_lowlevel_setup(1, NULL, &info, &device_ops, &threads, NULL));
	IS_NULL(cuse_lowlevel_setup(1, words, NULL, &device_ops, &threads, NULL));
	IS(1, cuse_lowlevel_main(1, words, NULL, NULL, NULL));
	RETURNS(cuse_lowlevel_teardown(NULL));
}

void bad_sessions(void)
{
	static const struct fuse_lowlevel_ops ops = { .access = NULL };
	const struct fuse_custom_io io = { 0 };
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_bufvec data = FUSE_BUFVEC_INIT(0);
	struct fuse_buf buf = { .size = SIZE_MAX };
	struct fake *k = fake_new(&ops, NULL);
	struct fuse_session *se = k->se, *unmounted;
	char *words[] = { "program", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);

	bad_new_sessions();
	IS(-EINVAL, fuse_session_custom_io(NULL, &io, 0));
	IS(-EINVAL, fuse_session_custom_io(se, NULL, 0));
	IS(-EINVAL, fuse_session_custom_io(se, &io, 0));
	IS(-1, fuse_session_mount(NULL, "/nowhere"));
	IS(-1, fuse_session_mount(se, NULL));
	RETURNS(fuse_session_unmount(NULL));
	IS(-EINVAL, fuse_session_loop(NULL));
	IS(-EINVAL, fuse_session_loop_mt(NULL, config));
	IS(-EINVAL, fuse_session_loop_mt_31(NULL, 1));
	IS(-EINVAL, fuse_session_loop_mt_32(NULL, NULL));
	RETURNS(fuse_session_exit(NULL));
	RETURNS(fuse_session_reset(NULL));
	IS(1, fuse_session_exited(NULL));
	RETURNS(fuse_session_destroy(NULL));
	IS(-1, fuse_session_fd(NULL));
	RETURNS(fuse_session_process_buf(NULL, &buf));
	RETURNS(fuse_session_process_buf(se, NULL));
	IS(-EINVAL, fuse_session_receive_buf(NULL, &buf));
	IS(-EINVAL, fuse_session_receive_buf(se, NULL));
	IS(-1, fuse_set_signal_handlers(NULL));
	RETURNS(fuse_remove_signal_handlers(NULL));
	RETURNS(fuse_remove_signal_handlers(se));
	RETURNS(fuse_pollhandle_destroy(NULL));
	IS(0, fuse_lowlevel_notify_poll(NULL));
	IS(-EINVAL, fuse_lowlevel_notify_poll((struct fuse_pollhandle *)GARBAGE));
	RETURNS(fuse_pollhandle_destroy((struct fuse_pollhandle *)GARBAGE));
	IS(-EINVAL, fuse_lowlevel_notify_inval_inode(NULL, 1, 0, 0));
	IS(-EINVAL, fuse_lowlevel_notify_inval_entry(NULL, 1, "a", 1));
	IS(-EINVAL, fuse_lowlevel_notify_inval_entry(se, 1, NULL, 1));
	IS(-EINVAL, EXPIRE(NULL, "a"));
	IS(-EINVAL, EXPIRE(se, NULL));
	IS(-EINVAL, fuse_lowlevel_notify_delete(NULL, 1, 2, "a", 1));
	IS(-EINVAL, fuse_lowlevel_notify_delete(se, 1, 2, NULL, 1));
	IS(-EINVAL, fuse_lowlevel_notify_store(NULL, 1, 0, &data, 0));
	IS(-EINVAL, fuse_lowlevel_notify_store(se, 1, 0, NULL, 0));
	IS(-EINVAL, fuse_lowlevel_notify_retrieve(NULL, 1, 1, 0, NULL));

	/* One that was never mounted: nothing to read, nothing to send by. */
	unmounted = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	IS(-EBADF, fuse_session_loop(unmounted));
	IS(-EBADF, fuse_session_loop_mt(unmounted, config));
	IS(-1, fuse_session_fd(unmounted));
	memset(&buf, 0, sizeof(buf));
	IS(-EBADF, fuse_session_receive_buf(unmounted, &buf));
	RETURNS(fuse_session_unmount(unmounted));
	IS(-1, fuse_session_mount(unmounted, ""));
	IS(-1, fuse_session_mount(unmounted, "/nowhere/at/all"));
	IS(-1, fuse_session_mount(unmounted, "/dev/fd/99999"));
	IS(-1, fuse_session_mount(unmounted, "/dev/fd/-1"));
	RETURNS(fuse_session_destroy(unmounted));
	IS(-1, fuse_open_channel(NULL, NULL));
	IS(-1, fuse_open_channel("/nowhere/at/all", "no such option"));
	fuse_loop_cfg_destroy(config);
	fake_free(k);
}

/* ---- requests: none, garbage, and one that is alive and gets a bad answer */

static void no_request(fuse_req_t req)
{
	struct fuse_bufvec data = FUSE_BUFVEC_INIT(0);
	struct fuse_entry_param entry = { .ino = 2 };
	struct fuse_file_info file = { .fh = 1 };
	struct statvfs fs = { .f_bsize = 1 };
	struct flock lock = { .l_type = 0 };
	struct stat st = { .st_ino = 1 };
	struct iovec part = { NULL, 0 };
	gid_t groups[4];

	IS(-EINVAL, fuse_reply_err(req, EIO));
	RETURNS(fuse_reply_none(req));
	IS(-EINVAL, fuse_reply_entry(req, &entry));
	IS(-EINVAL, fuse_reply_create(req, &entry, &file));
	IS(-EINVAL, fuse_reply_attr(req, &st, 1));
	IS(-EINVAL, fuse_reply_readlink(req, "target"));
	IS(-EINVAL, fuse_reply_open(req, &file));
	IS(-EINVAL, fuse_reply_write(req, 1));
	IS(-EINVAL, fuse_reply_buf(req, "data", 4));
	IS(-EINVAL, fuse_reply_data(req, &data, 0));
	IS(-EINVAL, fuse_reply_iov(req, &part, 1));
	IS(-EINVAL, fuse_reply_statfs(req, &fs));
	IS(-EINVAL, fuse_reply_xattr(req, 1));
	IS(-EINVAL, fuse_reply_lock(req, &lock));
	IS(-EINVAL, fuse_reply_bmap(req, 1));
	IS(-EINVAL, fuse_reply_ioctl_retry(req, &part, 1, &part, 1));
	IS(-EINVAL, fuse_reply_ioctl(req, 0, "data", 4));
	IS(-EINVAL, fuse_reply_ioctl_iov(req, 0, &part, 1));
	IS(-EINVAL, fuse_reply_poll(req, 1));
	IS(-EINVAL, fuse_reply_lseek(req, 1));
	IS_NULL(fuse_req_userdata(req));
	RETURNS(fuse_req_ctx(req));
	IS(-EINVAL, fuse_req_getgroups(req, 4, groups));
	RETURNS(fuse_req_interrupt_func(req, NULL, NULL));
	IS(0, fuse_req_interrupted(req));
}

/* What an ACCESS request is answered with, by its mask; it must be refused or be an error itself. */
static int answer(fuse_req_t req, int mask)
{
	struct fuse_entry_param entry = { .ino = 2 };
	struct fuse_file_info file = { .fh = 1 };
	struct fuse_bufvec nowhere = FUSE_BUFVEC_INIT(100);

	nowhere.buf[0].flags = FUSE_BUF_IS_FD;
	nowhere.buf[0].fd = -1;
	switch (mask) {
	case 0:
		return fuse_reply_err(req, -EIO);
	case 1:
		return fuse_reply_err(req, INT_MAX);
	case 2:
		return fuse_reply_err(req, INT_MIN);
	case 3:
		return fuse_reply_entry(req, NULL);
	case 4:
		return fuse_reply_create(req, NULL, &file);
	case 5:
		return fuse_reply_create(req, &entry, NULL);
	case 6:
		return fuse_reply_attr(req, NULL, 1);
	case 7:
		return fuse_reply_readlink(req, NULL);
	case 8:
		return fuse_reply_open(req, NULL);
	case 9:
		return fuse_reply_data(req, NULL, 0);
	case 10:
		return fuse_reply_data(req, &nowhere, 0);
	case 11:
		return fuse_reply_statfs(req, NULL);
	case 12:
		return fuse_reply_lock(req, NULL);
	case 13:
		return fuse_reply_ioctl_retry(req, NULL, SIZE_MAX, NULL, SIZE_MAX);
	case 14:
		return fuse_reply_iov(req, NULL, INT_MAX);
	case 15:
		return fuse_reply_iov(req, NULL, -1);
	case 16:
		return fuse_reply_buf(req, NULL, SIZE_MAX);
	case 17:
		return fuse_reply_ioctl(req, -1, NULL, SIZE_MAX);
	case 18:
		return fuse_reply_ioctl_iov(req, 0, NULL, INT_MIN);
	default:
		return -1;
	}
}
#define ANSWERS 19

static void on_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct stat st = { .st_ino = 1 };
	struct fuse_entry_param entry = { .ino = 2 };
	gid_t groups[1];
	char buf[200];

	(void)ino;
	IS(0, fuse_add_direntry(req, NULL, 0, NULL, &st, 1));
	IS(0, fuse_add_direntry(req, buf, sizeof(buf), "name", NULL, 1));
	RETURNS(fuse_add_direntry(req, NULL, sizeof(buf), "name", &st, 1));
	IS(0, fuse_add_direntry_plus(req, NULL, 0, NULL, &entry, 1));
	IS(0, fuse_add_direntry_plus(req, buf, sizeof(buf), "name", NULL, 1));
	IS(1, fuse_req_getgroups(req, -1, groups) < 0);
	IS(1, fuse_req_getgroups(req, 4, NULL) < 0);
	RETURNS(answer(req, mask));
	/* Whoever was refused still can answer, and nobody can twice. */
	fuse_reply_err(req, EIO);
}

void bad_requests(void)
{
	static const struct fuse_lowlevel_ops ops = { .access = on_access };
	static struct message m;
	struct fuse_out_header h;
	struct fake *k = fake_new(&ops, NULL);
	char what[100];

	no_request(NULL);
	no_request(GARBAGE);
	fake_init(k, 31);
	for (int mask = 0; mask < ANSWERS; mask++) {
		int answers = 0;

		m.len = 0;
		put(&m, "uu", (uint32_t)mask, 0u);
		fake_send(k, FUSE_ACCESS, 1, &m);
		fake_step(k);
		while (fake_take(k, &h, sizeof(h)) >= (ssize_t)sizeof(h))
			answers += h.unique == k->unique;
		snprintf(what, sizeof(what), "bad answer %d: the kernel gets %d answers", mask, answers);
		check(answers == 1, what);
	}
	fake_free(k);
}
