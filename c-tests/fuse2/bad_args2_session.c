/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Sessions, channels and requests; what `bad_args2.h` says. */
#include "bad_args2.h"

#include <cuse_lowlevel.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* What programs of older interfaces call; their structs are never looked into here. */
struct fuse_session *fuse_lowlevel_new_compat(const char *opts, const void *op, size_t op_size, void *userdata);
struct fuse_session *fuse_lowlevel_new_compat25(struct fuse_args *args, const void *op, size_t op_size,
                                                void *userdata);
struct fuse_chan *fuse_chan_new_compat24(void *op, int fd, size_t bufsize, void *data);
struct fuse_chan *fuse_kern_chan_new(int fd);
int fuse_chan_receive(struct fuse_chan *ch, char *buf, size_t size);
char *fuse_add_dirent(char *buf, const char *name, const struct stat *stbuf, off_t off);
size_t fuse_dirent_size(size_t namelen);
int fuse_reply_open_compat(fuse_req_t req, const void *fi);
int fuse_reply_statfs_compat(fuse_req_t req, const void *stbuf);

/* No request, and never one. */
#define GARBAGE ((fuse_req_t)(uintptr_t)0x123456789)

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
    IS(-EINVAL, fuse_reply_entry(req, NULL));
    IS(-EINVAL, fuse_reply_create(req, &entry, &file));
    IS(-EINVAL, fuse_reply_create(req, NULL, NULL));
    IS(-EINVAL, fuse_reply_attr(req, &st, 1));
    IS(-EINVAL, fuse_reply_attr(req, NULL, 1));
    IS(-EINVAL, fuse_reply_readlink(req, NULL));
    IS(-EINVAL, fuse_reply_open(req, &file));
    IS(-EINVAL, fuse_reply_open(req, NULL));
    IS(-EINVAL, fuse_reply_open_compat(req, NULL));
    IS(-EINVAL, fuse_reply_write(req, 1));
    IS(-EINVAL, fuse_reply_buf(req, NULL, SIZE_MAX));
    IS(-EINVAL, fuse_reply_data(req, &data, 0));
    IS(-EINVAL, fuse_reply_data(req, NULL, 0));
    IS(-EINVAL, fuse_reply_iov(req, &part, 1));
    IS(-EINVAL, fuse_reply_iov(req, NULL, INT_MIN));
    IS(-EINVAL, fuse_reply_statfs(req, &fs));
    IS(-EINVAL, fuse_reply_statfs(req, NULL));
    IS(-EINVAL, fuse_reply_statfs_compat(req, NULL));
    IS(-EINVAL, fuse_reply_xattr(req, 1));
    IS(-EINVAL, fuse_reply_lock(req, &lock));
    IS(-EINVAL, fuse_reply_bmap(req, 1));
    IS(-EINVAL, fuse_reply_ioctl_retry(req, NULL, SIZE_MAX, NULL, SIZE_MAX));
    IS(-EINVAL, fuse_reply_ioctl(req, 0, NULL, SIZE_MAX));
    IS(-EINVAL, fuse_reply_ioctl_iov(req, 0, NULL, -1));
    IS(-EINVAL, fuse_reply_poll(req, 1));
    IS_NULL(fuse_req_userdata(req));
    RETURNS(fuse_req_ctx(req));
    IS(-EINVAL, fuse_req_getgroups(req, 4, groups));
    RETURNS(fuse_req_interrupt_func(req, NULL, NULL));
    IS(0, fuse_req_interrupted(req));
}

static void no_channel(void)
{
    struct fuse_chan *none = NULL;
    struct fuse_bufvec data = FUSE_BUFVEC_INIT(0);
    char buf[8];

    IS_NULL(fuse_chan_new(NULL, -1, SIZE_MAX, NULL));
    IS_NULL(fuse_chan_new_compat24(NULL, -1, 0, NULL));
    RETURNS(fuse_chan_destroy(fuse_kern_chan_new(-1)));
    RETURNS(fuse_chan_destroy(NULL));
    IS(-1, fuse_chan_fd(NULL));
    IS(0, fuse_chan_bufsize(NULL));
    IS_NULL(fuse_chan_data(NULL));
    IS_NULL(fuse_chan_session(NULL));
    IS(-EINVAL, fuse_chan_recv(NULL, buf, sizeof(buf)));
    IS(-EINVAL, fuse_chan_recv(&none, buf, sizeof(buf)));
    IS(-1, fuse_chan_receive(NULL, buf, sizeof(buf)));
    IS(-EINVAL, fuse_chan_send(NULL, NULL, SIZE_MAX));
    IS(0, fuse_lowlevel_notify_poll(NULL));
    IS(-EINVAL, fuse_lowlevel_notify_poll((struct fuse_pollhandle *)GARBAGE));
    RETURNS(fuse_pollhandle_destroy((struct fuse_pollhandle *)GARBAGE));
    IS(-EINVAL, fuse_lowlevel_notify_inval_inode(NULL, 1, 0, 0));
    IS(-EINVAL, fuse_lowlevel_notify_inval_entry(NULL, 1, NULL, SIZE_MAX));
    IS(-EINVAL, fuse_lowlevel_notify_delete(NULL, 1, 2, NULL, 1));
    IS(-EINVAL, fuse_lowlevel_notify_store(NULL, 1, 0, &data, 0));
    IS(-EINVAL, fuse_lowlevel_notify_retrieve(NULL, 1, 1, 0, NULL));
}

static void no_session(void)
{
    struct fuse_args none = FUSE_ARGS_INIT(0, NULL);
    const struct cuse_lowlevel_ops device_ops = { 0 };
    const struct cuse_info info = { 0 };
    char *words[] = { "program", NULL };
    struct fuse_buf buf = { .size = SIZE_MAX };
    struct fuse_chan *channel = NULL;
    struct stat st = { .st_ino = 1 };
    char entry[200];
    int threads;

    RETURNS(fuse_session_destroy(fuse_lowlevel_new(NULL, NULL, 0, NULL)));
    RETURNS(fuse_session_destroy(fuse_lowlevel_new(&none, NULL, SIZE_MAX, NULL)));
    RETURNS(fuse_session_destroy(fuse_lowlevel_new_compat(NULL, NULL, 0, NULL)));
    RETURNS(fuse_session_destroy(fuse_lowlevel_new_compat25(NULL, NULL, 0, NULL)));
    RETURNS(fuse_session_destroy(fuse_session_new(NULL, NULL)));
    IS_NULL(cuse_lowlevel_new(NULL, NULL, NULL, NULL));
    IS_NULL(cuse_lowlevel_new(&none, NULL, &device_ops, NULL));
    IS_NULL(cuse_lowlevel_setup(1, NULL, &info, &device_ops, &threads, NULL));
    IS_NULL(cuse_lowlevel_setup(1, words, NULL, &device_ops, &threads, NULL));
    IS(1, cuse_lowlevel_main(1, words, NULL, NULL, NULL));
    RETURNS(cuse_lowlevel_teardown(NULL));
    RETURNS(fuse_session_add_chan(NULL, NULL));
    RETURNS(fuse_session_remove_chan(NULL));
    IS_NULL(fuse_session_next_chan(NULL, NULL));
    RETURNS(fuse_session_process(NULL, NULL, SIZE_MAX, NULL));
    RETURNS(fuse_session_process_buf(NULL, &buf, NULL));
    IS(-EINVAL, fuse_session_receive_buf(NULL, &buf, &channel));
    IS(-EINVAL, fuse_session_receive_buf(NULL, NULL, NULL));
    RETURNS(fuse_session_destroy(NULL));
    RETURNS(fuse_session_exit(NULL));
    RETURNS(fuse_session_reset(NULL));
    IS(1, fuse_session_exited(NULL));
    IS_NULL(fuse_session_data(NULL));
    IS(-1, fuse_session_loop(NULL));
    IS(-1, fuse_session_loop_mt(NULL));
    IS(-1, fuse_set_signal_handlers(NULL));
    RETURNS(fuse_remove_signal_handlers(NULL));
    RETURNS(fuse_pollhandle_destroy(NULL));
    RETURNS(fuse_dirent_size(SIZE_MAX));
    RETURNS(fuse_add_dirent(NULL, NULL, NULL, 0));
    IS(0, fuse_add_direntry(NULL, NULL, 0, NULL, &st, 1));
    IS(0, fuse_add_direntry(NULL, entry, sizeof(entry), "name", NULL, 1));
}

void bad_sessions(void)
{
    no_request(NULL);
    no_request(GARBAGE);
    no_channel();
    no_session();
}
