/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A character device over a channel of the caller's own: requests come from a script, replies are
 * printed.
 */
#include <cuse_lowlevel.h>
#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char request[512];
static size_t request_length;

static int receive(struct fuse_chan **chp, char *buffer, size_t size)
{
    int n = (int)request_length;

    (void)chp, (void)size;
    memcpy(buffer, request, request_length);
    request_length = 0;
    return n;
}

static int send_message(struct fuse_chan *ch, const struct iovec iov[], size_t count)
{
    unsigned char all[8192];
    struct fuse_out_header header;
    struct cuse_init_out init;
    size_t length = 0, i;

    (void)ch;
    if (iov == NULL)
        return 0;
    for (i = 0; i < count; i++) {
        memcpy(all + length, iov[i].iov_base, iov[i].iov_len);
        length += iov[i].iov_len;
    }
    memcpy(&header, all, sizeof(header));
    printf("unique %ld error %d len %s", (long)header.unique, header.error,
           header.len == length ? "right" : "wrong");
    i = sizeof(header);
    if (header.unique == 1 && header.error == 0) {
        /* Minor version and sizes are each library's own. */
        memcpy(&init, all + i, sizeof(init));
        printf(" major %u flags %u device %u:%u sizes %d", init.major, init.flags, init.dev_major,
               init.dev_minor, init.max_read >= 4096 && init.max_write >= 4096);
        i += sizeof(init);
    }
    for (; i < length; i++)
        printf(" %02x", all[i]);
    printf("\n");
    return 0;
}

static struct fuse_chan_ops channel_operations = { receive, send_message, NULL };

static void dev_init(void *userdata, struct fuse_conn_info *conn)
{
    printf("init %s %u\n", (char *)userdata, conn->proto_major);
}

static void dev_init_done(void *userdata)
{
    printf("init_done %s\n", (char *)userdata);
}

static void dev_destroy(void *userdata)
{
    printf("destroy %s\n", (char *)userdata);
}

static void dev_open(fuse_req_t req, struct fuse_file_info *fi)
{
    printf("open %o\n", fi->flags);
    fi->fh = 77;
    fuse_reply_open(req, fi);
}

static void dev_read(fuse_req_t req, size_t size, off_t offset, struct fuse_file_info *fi)
{
    printf("read %zu %ld fh %ld\n", size, (long)offset, (long)fi->fh);
    fuse_reply_buf(req, "data", 4);
}

static void dev_write(fuse_req_t req, const char *buffer, size_t size, off_t offset,
                      struct fuse_file_info *fi)
{
    printf("write %.*s %ld fh %ld\n", (int)size, buffer, (long)offset, (long)fi->fh);
    fuse_reply_write(req, size);
}

static void dev_ioctl(fuse_req_t req, int cmd, void *arg, struct fuse_file_info *fi,
                      unsigned int flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz)
{
    struct iovec in = { arg, 8 }, out = { (char *)arg + 8, 16 };

    (void)fi;
    printf("ioctl %x %p flags %x in %zu out %zu\n", (unsigned)cmd, arg, flags, in_bufsz, out_bufsz);
    if (in_bufsz == 0)
        fuse_reply_ioctl_retry(req, &in, 1, &out, 1);
    else
        fuse_reply_ioctl(req, 3, in_buf, in_bufsz);
}

static void dev_poll(fuse_req_t req, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
    (void)fi;
    printf("poll handle %d\n", ph != NULL);
    if (ph != NULL)
        fuse_pollhandle_destroy(ph);
    fuse_reply_poll(req, 5);
}

static const struct cuse_lowlevel_ops operations = {
    .init = dev_init, .init_done = dev_init_done, .destroy = dev_destroy, .open = dev_open,
    .read = dev_read, .write = dev_write, .ioctl = dev_ioctl, .poll = dev_poll,
};

static void step(struct fuse_session *se, struct fuse_chan *ch, uint32_t opcode, uint64_t unique,
                 const void *argument, size_t size, const char *data)
{
    static char buffer[1 << 20];
    struct fuse_in_header header = { .opcode = opcode, .unique = unique, .nodeid = 1 };
    size_t more = data != NULL ? strlen(data) : 0;
    struct fuse_chan *from = ch;
    int n;

    header.len = (uint32_t)(sizeof(header) + size + more);
    memcpy(request, &header, sizeof(header));
    if (size != 0)
        memcpy(request + sizeof(header), argument, size);
    if (more != 0)
        memcpy(request + sizeof(header) + size, data, more);
    request_length = header.len;
    n = fuse_chan_recv(&from, buffer, sizeof(buffer));
    fuse_session_process(se, buffer, (size_t)n, from);
}

int main(void)
{
    char *argv[] = { "cuse2", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    const char *info[] = { "DEVNAME=ferrotest" };
    struct cuse_info ci = {
        .dev_major = 240, .dev_minor = 9, .dev_info_argc = 1, .dev_info_argv = info,
        .flags = CUSE_UNRESTRICTED_IOCTL,
    };
    struct fuse_session *se = cuse_lowlevel_new(&args, &ci, &operations, "userdata");
    struct fuse_chan *ch = fuse_chan_new(&channel_operations, -1, 0x21000, NULL);
    struct cuse_init_in init = { .major = 7, .minor = 31, .flags = CUSE_UNRESTRICTED_IOCTL };
    struct fuse_open_in open = { .flags = 2 };
    struct fuse_read_in read = { .fh = 77, .size = 100, .offset = 5 };
    struct fuse_write_in write = { .fh = 77, .size = 5, .offset = 6 };
    struct fuse_ioctl_in ioctl = {
        .fh = 77, .flags = FUSE_IOCTL_UNRESTRICTED, .cmd = 0x4501, .arg = 0x1000,
    };
    struct fuse_poll_in poll = { .fh = 77, .kh = 3, .flags = FUSE_POLL_SCHEDULE_NOTIFY };
    struct fuse_release_in release = { .fh = 77 };

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (se == NULL || ch == NULL)
        return 1;
    fuse_session_add_chan(se, ch);
    step(se, ch, CUSE_INIT, 1, &init, sizeof(init), NULL);
    step(se, ch, FUSE_OPEN, 2, &open, sizeof(open), NULL);
    step(se, ch, FUSE_READ, 3, &read, sizeof(read), NULL);
    step(se, ch, FUSE_WRITE, 4, &write, sizeof(write), "hello");
    step(se, ch, FUSE_IOCTL, 5, &ioctl, sizeof(ioctl), NULL);
    ioctl.in_size = 8;
    ioctl.out_size = 16;
    step(se, ch, FUSE_IOCTL, 6, &ioctl, sizeof(ioctl), "12345678");
    step(se, ch, FUSE_POLL, 7, &poll, sizeof(poll), NULL);
    step(se, ch, FUSE_RELEASE, 8, &release, sizeof(release), NULL);
    step(se, ch, FUSE_LOOKUP, 9, "name", 5, NULL);
    fuse_session_destroy(se);
    fuse_opt_free_args(&args);
    return 0;
}
