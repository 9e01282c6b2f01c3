/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A few files by nodes, for each version of the low-level interface, served by every kind of loop.
 *
 *   FT_LOOP   single, mt; recv: own loop over fuse_chan_recv() (fuse_chan_receive() before 2.6);
 *             relay: a channel with operations of its own between the library and the device;
 *             splice: reads are answered by splicing to fuse_chan_fd();
 *             buf: own loop over fuse_session_receive_buf() (2.9)
 *
 * /hello    its content is set by commands
 * /big      1 MiB
 * /log      what the commands came to
 * /command  takes commands: one word, and what it is about
 */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define API FUSE_USE_VERSION

enum { ROOT = FUSE_ROOT_ID, HELLO, BIG, LOG, COMMAND, END };

static const char *const names[END] = { [HELLO] = "hello", "big", "log", "command" };
static char hello[256] = "hello world\n", big[1 << 20], log_text[8192];
static unsigned lookups;
static struct fuse_chan *channel;

static void add_log(const char *key, long value)
{
    size_t used = strlen(log_text);

    snprintf(log_text + used, sizeof(log_text) - used, "%s %ld\n", key, value);
}

static const char *data_of(fuse_ino_t ino, size_t *size)
{
    const char *data = ino == HELLO ? hello : ino == LOG ? log_text : ino == BIG ? big : "";

    *size = ino == BIG ? sizeof(big) : strlen(data);
    return data;
}

static int fill_stat(fuse_ino_t ino, struct stat *st)
{
    size_t size;

    memset(st, 0, sizeof(*st));
    if (ino < ROOT || ino >= END)
        return -1;
    st->st_ino = ino;
    st->st_nlink = ino == ROOT ? 2 : 1;
    st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
    if (ino != ROOT) {
        data_of(ino, &size);
        st->st_size = (off_t)size;
    }
    return 0;
}

static void ll_init_common(void)
{
    add_log("init", 1);
}

#if API < 26
static void ll_init(void *userdata)
{
    ll_init_common();
    add_log("userdata", strcmp(userdata, "nodes") == 0);
}
#else
static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
    ll_init_common();
    add_log("userdata", strcmp(userdata, "nodes") == 0);
    add_log("proto_major", conn->proto_major);
    add_log("proto_minor", conn->proto_minor > 12);
}
#endif

static void ll_destroy(void *userdata)
{
    fprintf(stderr, "destroy %s\n", (char *)userdata);
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;
    fuse_ino_t ino;

    for (ino = HELLO; ino < END; ino++)
        if (parent == ROOT && strcmp(name, names[ino]) == 0)
            break;
    if (ino == END) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    if (ino == HELLO)
        lookups++;
    memset(&e, 0, sizeof(e));
    e.ino = ino;
    e.generation = 1;
    e.attr_timeout = e.entry_timeout = 3600;
    fill_stat(ino, &e.attr);
    fuse_reply_entry(req, &e);
}

static void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    if (fill_stat(ino, &st) != 0)
        fuse_reply_err(req, ENOENT);
    else
        fuse_reply_attr(req, &st, 3600);
}

static void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if (ino == ROOT) {
        fuse_reply_err(req, EISDIR);
        return;
    }
    fi->fh = ino + 1000;
    fi->direct_io = ino >= LOG;
    fi->keep_cache = ino == HELLO;
    fuse_reply_open(req, fi);
}

static void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    size_t all;
    const char *data = data_of(ino, &all);

    if (fi->fh != ino + 1000) {
        fuse_reply_err(req, EBADF);
        return;
    }
    if ((size_t)offset >= all)
        size = 0;
    else if (size > all - (size_t)offset)
        size = all - (size_t)offset;
#if API >= 29
    if (ino == BIG) {
        struct fuse_bufvec vec = FUSE_BUFVEC_INIT(size);

        vec.buf[0].mem = (char *)data + offset;
        fuse_reply_data(req, &vec, 0);
        return;
    }
#endif
#if API >= 27
    struct iovec iov[2] = {
        { (char *)data + offset, size / 2 }, { (char *)data + offset + size / 2, size - size / 2 }
    };
    fuse_reply_iov(req, iov, 2);
#else
    fuse_reply_buf(req, size != 0 ? data + offset : NULL, size);
#endif
}

static void command(const char *word)
{
    lookups += 0;
    if (strncmp(word, "set ", 4) == 0)
        snprintf(hello, sizeof(hello), "%s\n", word + 4);
    else if (strcmp(word, "lookups") == 0)
        add_log("lookups", lookups);
#if API >= 29
    else if (strcmp(word, "inval_inode") == 0)
        add_log(word, fuse_lowlevel_notify_inval_inode(channel, HELLO, 0, 0));
    else if (strcmp(word, "inval_entry") == 0)
        add_log(word, fuse_lowlevel_notify_inval_entry(channel, ROOT, "hello", 5));
    else if (strcmp(word, "inval_nothing") == 0)
        add_log(word, fuse_lowlevel_notify_inval_entry(channel, ROOT, "nothing", 7));
    else if (strcmp(word, "inval_unknown") == 0)
        add_log(word, fuse_lowlevel_notify_inval_inode(channel, 77, 0, 0));
    else if (strcmp(word, "inval_null") == 0)
        add_log(word, fuse_lowlevel_notify_inval_inode(NULL, HELLO, 0, 0));
    else if (strcmp(word, "delete") == 0)
        add_log(word, fuse_lowlevel_notify_delete(channel, ROOT, HELLO, "hello", 5));
    else if (strcmp(word, "store") == 0) {
        struct fuse_bufvec vec = FUSE_BUFVEC_INIT(6);

        vec.buf[0].mem = "STORED";
        add_log(word, fuse_lowlevel_notify_store(channel, HELLO, 0, &vec, 0));
    } else if (strcmp(word, "retrieve") == 0)
        add_log(word, fuse_lowlevel_notify_retrieve(channel, HELLO, 6, 0, "cookie"));
#endif
    else
        add_log("unknown", 0);
}

static void ll_write(fuse_req_t req, fuse_ino_t ino, const char *buffer, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    char word[128];

    (void)offset, (void)fi;
    if (ino != COMMAND || size >= sizeof(word)) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    memcpy(word, buffer, size);
    word[size] = '\0';
    /* The kernel waits for nothing once it has the reply. */
    fuse_reply_write(req, size);
    command(word);
}

static void ll_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    add_log("setattr", to_set & (FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MODE));
    fill_stat(ino, &st);
    if (to_set & FUSE_SET_ATTR_MODE)
        st.st_mode = attr->st_mode;
    fuse_reply_attr(req, &st, 3600);
}

static void ll_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fuse_reply_err(req, fi->fh == ino + 1000 ? 0 : EBADF);
}

static void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
    char buffer[4096];
    size_t used = 0;
    off_t i;

    (void)fi;
    if (ino != ROOT) {
        fuse_reply_err(req, ENOTDIR);
        return;
    }
    if (size > sizeof(buffer))
        size = sizeof(buffer);
    for (i = offset; i < END; i++) {
        const char *name = i == 0 ? "." : i == 1 ? ".." : names[i];
        struct stat st;

        fill_stat(i <= 1 ? ROOT : (fuse_ino_t)i, &st);
#if API < 26
        if (fuse_dirent_size(strlen(name)) > size - used)
            break;
        used = (size_t)(fuse_add_dirent(buffer + used, name, &st, i + 1) - buffer);
#else
        size_t need = fuse_add_direntry(req, buffer + used, size - used, name, &st, i + 1);

        if (need > size - used)
            break;
        used += need;
#endif
    }
    fuse_reply_buf(req, buffer, used);
}

#if API == 24
static void ll_statfs(fuse_req_t req)
{
    struct statfs st = { .f_bsize = 512, .f_blocks = 100, .f_bfree = 50, .f_namelen = 99 };

    fuse_reply_statfs(req, &st);
}
#else
#if API == 25
static void ll_statfs(fuse_req_t req)
#else
static void ll_statfs(fuse_req_t req, fuse_ino_t ino)
#endif
{
    struct statvfs st = { .f_bsize = 512, .f_frsize = 512, .f_blocks = 100, .f_bfree = 50, .f_namemax = 99 };

#if API > 25
    add_log("statfs", (long)ino);
#endif
    fuse_reply_statfs(req, &st);
}
#endif

static void ll_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    const struct fuse_ctx *ctx = fuse_req_ctx(req);
    char value[64];
    int length;

    (void)ino;
    if (strcmp(name, "user.caller") != 0) {
        fuse_reply_err(req, ENODATA);
        return;
    }
    length = snprintf(value, sizeof(value), "%d %d %s", (int)ctx->uid, (int)ctx->gid,
                      (char *)fuse_req_userdata(req));
    if (size == 0)
        fuse_reply_xattr(req, (size_t)length);
    else if (size < (size_t)length)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value, (size_t)length);
}

#if API >= 29
static void ll_retrieve_reply(fuse_req_t req, void *cookie, fuse_ino_t ino, off_t offset,
                              struct fuse_bufvec *data)
{
    char text[64] = "";
    struct fuse_bufvec to = FUSE_BUFVEC_INIT(sizeof(text) - 1);
    char line[160];

    to.buf[0].mem = text;
    fuse_buf_copy(&to, data, 0);
    snprintf(line, sizeof(line), "retrieved %s %ld %.6s", (char *)cookie, (long)offset, text);
    add_log(line, (long)ino);
    fuse_reply_none(req);
}

static void ll_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    (void)count, (void)forgets;
    fuse_reply_none(req);
}
#endif

static struct fuse_lowlevel_ops operations = {
    .init = ll_init, .destroy = ll_destroy, .lookup = ll_lookup, .getattr = ll_getattr,
    .open = ll_open, .read = ll_read, .write = ll_write, .setattr = ll_setattr,
    .release = ll_release, .readdir = ll_readdir, .statfs = ll_statfs, .getxattr = ll_getxattr,
#if API >= 29
    .retrieve_reply = ll_retrieve_reply, .forget_multi = ll_forget_multi,
#endif
};

/* ---- loops */

#if API < 26
#define CHAN_ARGUMENT struct fuse_chan *ch
#define CHAN ch
#else
#define CHAN_ARGUMENT struct fuse_chan **chp
#define CHAN (*chp)
#endif

static int relay_receive(CHAN_ARGUMENT, char *buffer, size_t size)
{
    ssize_t n = read(fuse_chan_fd(CHAN), buffer, size);

    if (fuse_session_exited(fuse_chan_session(CHAN)))
        return 0;
    if (n != -1)
        return (int)n;
    if (errno == ENODEV) {
        fuse_session_exit(fuse_chan_session(CHAN));
        return 0;
    }
    return -errno;
}

static int relay_send(struct fuse_chan *ch, const struct iovec iov[], size_t count)
{
    unsigned *sent = fuse_chan_data(ch);

    if (iov == NULL)
        return 0;
    ++*sent;
    return writev(fuse_chan_fd(ch), iov, (int)count) == -1 ? -errno : 0;
}

static void relay_destroy(struct fuse_chan *ch)
{
    unsigned *sent = fuse_chan_data(ch);

    fprintf(stderr, "relay sent %s\n", *sent > 10 ? "many" : "few");
    close(fuse_chan_fd(ch));
}

static struct fuse_chan_ops relay = { relay_receive, relay_send, relay_destroy };

/* Answers a read by itself: header and data through a pipe to the device. */
static int splice_read(struct fuse_chan *ch, const char *request)
{
    const struct fuse_in_header *in = (const void *)request;
    const struct fuse_read_in *arg = (const void *)(in + 1);
    struct fuse_out_header out = { .unique = in->unique };
    size_t size = arg->size;
    int fds[2];
    ssize_t n;

    if (in->opcode != FUSE_READ || in->nodeid != BIG || arg->offset >= sizeof(big))
        return 0;
    if (size > sizeof(big) - arg->offset)
        size = sizeof(big) - arg->offset;
    out.len = (uint32_t)(sizeof(out) + size);
    if (pipe(fds) != 0 || fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) == -1)
        abort();
    if (write(fds[1], &out, sizeof(out)) != sizeof(out) ||
        write(fds[1], big + arg->offset, size) != (ssize_t)size)
        abort();
    n = splice(fds[0], NULL, fuse_chan_fd(ch), NULL, out.len, SPLICE_F_MOVE);
    if (n != (ssize_t)out.len)
        fprintf(stderr, "spliced %zd of %u\n", n, out.len);
    close(fds[0]);
    close(fds[1]);
    return 1;
}

static int own_loop(struct fuse_session *se, struct fuse_chan *ch, int splices)
{
    size_t size = fuse_chan_bufsize(ch);
    char *buffer = malloc(size);
    int n = 0;

    while (!fuse_session_exited(se)) {
        struct fuse_chan *from = ch;
#if API < 26
        n = fuse_chan_receive(from, buffer, size);
        if (n == 0)
            continue;
        if (n < 0)
            break;
#else
        n = fuse_chan_recv(&from, buffer, size);
        if (n == -EINTR || n == -EAGAIN)
            continue;
        if (n <= 0)
            break;
#endif
        if (!splices || !splice_read(from, buffer))
            fuse_session_process(se, buffer, (size_t)n, from);
    }
    free(buffer);
    fuse_session_reset(se);
    return n < 0 ? -1 : 0;
}

#if API >= 29
static int buf_loop(struct fuse_session *se, struct fuse_chan *ch)
{
    size_t size = fuse_chan_bufsize(ch);
    char *memory = malloc(size);
    int n = 0;

    while (!fuse_session_exited(se)) {
        struct fuse_chan *from = ch;
        struct fuse_buf buffer = { .mem = memory, .size = size };

        n = fuse_session_receive_buf(se, &buffer, &from);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        fuse_session_process_buf(se, &buffer, from);
    }
    free(memory);
    fuse_session_reset(se);
    return n < 0 ? -1 : 0;
}
#endif

int main(int argc, char *argv[])
{
    const char *loop = getenv("FT_LOOP") != NULL ? getenv("FT_LOOP") : "single";
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct fuse_session *se;
    static unsigned sent;
    char *mountpoint;
    int result = 1, mt, foreground;
    size_t i;

    for (i = 0; i < sizeof(big); i++)
        big[i] = (char)(i % 251);
    if (fuse_parse_cmdline(&args, &mountpoint, &mt, &foreground) == -1 || mountpoint == NULL)
        return 2;
#if API == 24
    int fd = fuse_mount(mountpoint, "fsname=nodes");
    se = fd == -1 ? NULL : fuse_lowlevel_new(NULL, &operations, sizeof(operations), "nodes");
#elif API == 25
    int fd = fuse_mount(mountpoint, &args);
    se = fd == -1 ? NULL : fuse_lowlevel_new(&args, &operations, sizeof(operations), "nodes");
#else
    struct fuse_chan *mounted = fuse_mount(mountpoint, &args);
    se = mounted == NULL ? NULL : fuse_lowlevel_new(&args, &operations, sizeof(operations), "nodes");
#endif
    if (se == NULL)
        return 3;
#if API < 26
    if (strcmp(loop, "relay") == 0)
        channel = fuse_chan_new(&relay, fd, 0x21000, &sent);
    else
        channel = fuse_kern_chan_new(fd);
#else
    channel = mounted;
    if (strcmp(loop, "relay") == 0)
        channel = fuse_chan_new(&relay, dup(fuse_chan_fd(mounted)), fuse_chan_bufsize(mounted), &sent);
#endif
    if (fuse_set_signal_handlers(se) != 0)
        return 4;
    fuse_session_add_chan(se, channel);
    fprintf(stderr, "channel %d %d %d\n", fuse_session_next_chan(se, NULL) == channel,
            fuse_session_next_chan(se, channel) == NULL, fuse_chan_session(channel) == se);
    if (strcmp(loop, "mt") == 0)
        result = fuse_session_loop_mt(se);
    else if (strcmp(loop, "recv") == 0 || strcmp(loop, "splice") == 0)
        result = own_loop(se, channel, strcmp(loop, "splice") == 0);
#if API >= 29
    else if (strcmp(loop, "buf") == 0)
        result = buf_loop(se, channel);
#endif
    else
        result = fuse_session_loop(se);
    fprintf(stderr, "loop %d exited %d\n", result, fuse_session_exited(se));
    fuse_remove_signal_handlers(se);
#if API < 26
    fuse_session_destroy(se);
    fuse_unmount(mountpoint);
#else
    if (channel == mounted)
        fuse_session_remove_chan(channel);
    fuse_session_destroy(se);
    fuse_unmount(mountpoint, mounted);
#endif
    free(mountpoint);
    fuse_opt_free_args(&args);
    return result == 0 ? 0 : 1;
}
