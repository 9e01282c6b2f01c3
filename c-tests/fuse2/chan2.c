/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Sessions and channels with operations of the caller's own, without a mount: requests come from
 * a script, replies are printed. Two channels of one session; a session that is no file system.
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* With --own also what libfuse does not survive. */
static int misuse;

struct script {
    const char *name;
    char request[512];
    size_t length;
    int error;                  /* returned once, in place of a request */
    struct fuse_chan *instead;  /* said to be where the request comes from */
    int destroyed;
};

static void show(const char *key, long value)
{
    printf("%s: %ld\n", key, value);
}

static int receive(struct fuse_chan **chp, char *buffer, size_t size)
{
    struct script *s = fuse_chan_data(*chp);
    int n = s->error;

    if (n != 0) {
        s->error = 0;
        return n;
    }
    if (s->length > size)
        return -EIO;
    memcpy(buffer, s->request, s->length);
    n = (int)s->length;
    s->length = 0;
    if (s->instead != NULL)
        *chp = s->instead;
    return n;
}

/* Bytes, in hex. INIT is each library's own, but for what every kernel checks. */
static int send_message(struct fuse_chan *ch, const struct iovec iov[], size_t count)
{
    struct script *s = fuse_chan_data(ch);
    unsigned char all[4096];
    struct fuse_out_header header;
    size_t length = 0, i;

    if (iov == NULL) {
        printf("%s: no reply\n", s->name);
        return 0;
    }
    for (i = 0; i < count; i++) {
        memcpy(all + length, iov[i].iov_base, iov[i].iov_len);
        length += iov[i].iov_len;
    }
    memcpy(&header, all, sizeof(header));
    printf("%s: unique %ld error %d len %s", s->name, (long)header.unique, header.error,
           header.len == length ? "right" : "wrong");
    if (header.unique == 1) {
        struct fuse_init_out init;

        memset(&init, 0, sizeof(init));
        length -= sizeof(header);
        memcpy(&init, all + sizeof(header), length < sizeof(init) ? length : sizeof(init));
        printf(" init %u max_write %s\n", init.major, init.max_write >= 4096 ? "set" : "missing");
        return 0;
    }
    for (i = sizeof(header); i < length; i++)
        printf("%s%02x", (i - sizeof(header)) % 4 == 0 ? " " : "", all[i]);
    printf("\n");
    return s->error > 0 ? -s->error : 0;
}

static void destroy_channel(struct fuse_chan *ch)
{
    struct script *s = fuse_chan_data(ch);

    printf("%s: destroyed, session %d\n", s->name, fuse_chan_session(ch) != NULL);
    s->destroyed++;
}

static struct fuse_chan_ops channel_operations = { receive, send_message, destroy_channel };

static void request(struct script *s, uint32_t opcode, uint64_t unique, uint64_t node,
                    const void *argument, size_t size)
{
    struct fuse_in_header header = {
        .len = (uint32_t)(sizeof(header) + size), .opcode = opcode, .unique = unique,
        .nodeid = node, .uid = 1, .gid = 2, .pid = 3,
    };

    memcpy(s->request, &header, sizeof(header));
    if (size != 0)
        memcpy(s->request + sizeof(header), argument, size);
    s->length = sizeof(header) + size;
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;

    memset(&e, 0, sizeof(e));
    printf("lookup %lu %s\n", parent, name);
    e.ino = 5;
    e.generation = 6;
    e.attr.st_ino = 7;
    e.attr.st_mode = S_IFREG | 0640;
    e.attr_timeout = 1.5;
    e.entry_timeout = 2.25;
    show("reply", fuse_reply_entry(req, &e));
}

static void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    printf("getattr %lu fi %d uid %d userdata %s\n", ino, fi != NULL,
           (int)fuse_req_ctx(req)->uid, (char *)fuse_req_userdata(req));
    show("reply", fuse_reply_err(req, EACCES));
}

static void fs_forget(fuse_req_t req, fuse_ino_t ino, unsigned long nlookup)
{
    printf("forget %lu %lu\n", ino, nlookup);
    fuse_reply_none(req);
}

static void fs_destroy(void *userdata)
{
    printf("destroy %s\n", (char *)userdata);
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = fs_lookup, .getattr = fs_getattr, .forget = fs_forget, .destroy = fs_destroy,
};

/* One request by an own loop. */
static void step(struct fuse_session *se, struct fuse_chan *ch)
{
    static char buffer[1 << 20];
    struct fuse_chan *from = ch;
    int n = fuse_chan_recv(&from, buffer, sizeof(buffer));

    printf("recv %s other %d\n", n > 0 ? "request" : n == 0 ? "nothing" : strerror(-n), from != ch);
    if (n > 0)
        fuse_session_process(se, buffer, (size_t)n, from);
}

static void filesystem(void)
{
    char *argv[] = { "chan2", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    static struct script first = { .name = "first" }, second = { .name = "second" };
    struct fuse_session *se = fuse_lowlevel_new(&args, &operations, sizeof(operations), "data");
    struct fuse_chan *one = fuse_chan_new(&channel_operations, 41, 77777, &first);
    struct fuse_chan *two = fuse_chan_new(&channel_operations, -1, 66666, &second);
    struct fuse_init_in init = { .major = 7, .minor = 19, .max_readahead = 65536 };
    struct fuse_getattr_in getattr = { 0 };
    struct fuse_forget_in forget = { .nlookup = 9 };

    show("fd", fuse_chan_fd(one));
    show("bufsize", (long)fuse_chan_bufsize(one));
    show("data", fuse_chan_data(one) == &first);
    show("session before", fuse_chan_session(one) != NULL);
    show("channels before", fuse_session_next_chan(se, NULL) != NULL);
    fuse_session_add_chan(se, one);
    show("session", fuse_chan_session(one) == se);
    show("next", fuse_session_next_chan(se, NULL) == one);
    show("next after", fuse_session_next_chan(se, one) != NULL);
    show("session data", fuse_session_data(se) != NULL);

    request(&first, FUSE_GETATTR, 8, 1, &getattr, sizeof(getattr));
    step(se, one);
    request(&first, FUSE_INIT, 1, 0, &init, sizeof(init));
    step(se, one);
    request(&first, FUSE_LOOKUP, 2, 1, "name", 5);
    step(se, one);
    request(&first, FUSE_GETATTR, 3, 5, &getattr, sizeof(getattr));
    step(se, one);
    request(&first, FUSE_FORGET, 4, 5, &forget, sizeof(forget));
    step(se, one);
    request(&first, FUSE_MKDIR, 5, 1, "\0\0\0\0\0\0\0\0dir", 12);
    step(se, one);
    request(&first, 999, 6, 1, NULL, 0);
    step(se, one);
    request(&first, FUSE_STATFS, 7, 1, NULL, 0);
    step(se, one);

    puts("-- errors of the channel");
    first.error = -EINTR;
    step(se, one);
    first.error = -EIO;
    step(se, one);
    {
        char buffer[16384];
        int errors[] = { -EINTR, -EAGAIN, -EIO, 0 };
        size_t i;

        for (i = 0; i < 4; i++) {
            first.error = errors[i];
            show("loop receive", fuse_chan_recv(&one, buffer, sizeof(buffer)));
        }
    }
    first.error = -EIO;
    show("loop", fuse_session_loop(se));
    show("exited", fuse_session_exited(se));

    puts("-- a request from another channel is answered there");
    first.instead = two;
    request(&first, FUSE_LOOKUP, 12, 1, "other", 6);
    step(se, one);
    first.instead = NULL;

    puts("-- notifications");
    show("inval_inode", fuse_lowlevel_notify_inval_inode(one, 5, 6, 7));
    show("inval_entry", fuse_lowlevel_notify_inval_entry(one, 1, "name", 4));
    show("inval_inode NULL", fuse_lowlevel_notify_inval_inode(NULL, 5, 6, 7));
    /* libfuse 2.9 crashes here. */
    if (misuse && fuse_lowlevel_notify_inval_entry(two, 1, "name", 4) != -ENODEV)
        puts("FAIL a notification through a channel without session");

    puts("-- exit");
    fuse_session_exit(se);
    show("exited", fuse_session_exited(se));
    show("recv when exited", fuse_chan_recv(&one, first.request, 0) < 0);
    fuse_session_reset(se);
    show("exited", fuse_session_exited(se));

    puts("-- from one channel to the other");
    fuse_session_remove_chan(one);
    show("session", fuse_chan_session(one) != NULL);
    show("next", fuse_session_next_chan(se, NULL) != NULL);
    fuse_session_add_chan(se, two);
    request(&second, FUSE_LOOKUP, 13, 1, "moved", 6);
    step(se, two);
    fuse_chan_destroy(one);
    show("destroyed", first.destroyed);
    fuse_session_destroy(se);
    show("destroyed", second.destroyed);
    fuse_opt_free_args(&args);
}

/* ---- a session that is no file system */

static int over;

static void process(void *data, const char *buffer, size_t length, struct fuse_chan *ch)
{
    struct iovec iov = { "reply: a header's worth of bytes", 32 };

    printf("process %s %.*s\n", (char *)data, (int)length, buffer);
    show("send", fuse_chan_send(ch, &iov, 1) <= 0);
    over++;
    if (over == 2)
        fuse_session_exit(fuse_chan_session(ch));
}

static void set_exit(void *data, int value)
{
    printf("exit %s %d\n", (char *)data, value);
    over = value != 0 ? 100 : 0;
}

static int is_over(void *data)
{
    (void)data;
    return over >= 100;
}

static void destroy_data(void *data)
{
    printf("destroy %s\n", (char *)data);
}

static int receive_text(struct fuse_chan **chp, char *buffer, size_t size)
{
    (void)chp;
    snprintf(buffer, size, "text %d", over);
    return (int)strlen(buffer);
}

static int send_text(struct fuse_chan *ch, const struct iovec iov[], size_t count)
{
    (void)ch;
    printf("sent %zu %.*s\n", count, (int)iov[0].iov_len, (char *)iov[0].iov_base);
    return 0;
}

static void other(int own_exit)
{
    struct fuse_session_ops session_operations = {
        process, own_exit ? set_exit : NULL, own_exit ? is_over : NULL, destroy_data,
    };
    struct fuse_chan_ops text_operations = { receive_text, send_text, NULL };
    struct fuse_session *se = fuse_session_new(&session_operations, "other");
    struct fuse_chan *ch = fuse_chan_new(&text_operations, -1, 4096, NULL);

    over = 0;
    fuse_session_add_chan(se, ch);
    show("data", strcmp(fuse_session_data(se), "other"));
    /* Not fuse_session_loop(): that of libfuse 2.9 crashes with such a session. */
    while (!fuse_session_exited(se)) {
        struct fuse_chan *from = ch;
        char buffer[4096];
        int n = fuse_chan_recv(&from, buffer, sizeof(buffer));

        if (n <= 0)
            break;
        fuse_session_process(se, buffer, (size_t)n, from);
    }
    show("exited", fuse_session_exited(se));
    fuse_session_reset(se);
    show("exited", fuse_session_exited(se));
    fuse_session_destroy(se);
}

int main(int argc, char *argv[])
{
    misuse = argc > 1 && strcmp(argv[1], "--own") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    filesystem();
    puts("-- a session of its own");
    other(0);
    puts("-- and with an end of its own");
    other(1);
    return 0;
}
