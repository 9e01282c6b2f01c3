/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A file system that a service manager starts and a helper mounts: service.py is both. One file, `f`, shows a file that
 * the helper has opened. By paths, or by nodes with the option `nodes`.
 *
 *   service [OPTIONS]       and from the helper: FILE MOUNTPOINT -o OPTIONS
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 19)
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <fuse_service.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fuse_service *service;
static int file = -1;

static struct settings {
    char *path;
    int nodes;
} settings;

static int fill(struct stat *st, int root)
{
    if (root) {
        memset(st, 0, sizeof(*st));
        st->st_mode = S_IFDIR | 0755;
        st->st_nlink = 2;
        return 0;
    }
    return fstat(file, st) == 0 ? 0 : -errno;
}

static int path_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    if (strcmp(path, "/") != 0 && strcmp(path, "/f") != 0)
        return -ENOENT;
    return fill(st, path[1] == 0);
}

static int path_read(const char *path, char *data, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    (void)path, (void)fi;
    return (int)pread(file, data, size, offset);
}

static const struct fuse_operations path_ops = {
    .getattr = path_getattr,
    .read = path_read,
};

static void node_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;

    (void)parent;
    memset(&e, 0, sizeof(e));
    e.ino = 2;
    if (strcmp(name, "f") != 0 || fill(&e.attr, 0) != 0)
        fuse_reply_err(req, ENOENT);
    else
        fuse_reply_entry(req, &e);
}

static void node_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    if (fill(&st, ino == FUSE_ROOT_ID) != 0)
        fuse_reply_err(req, EIO);
    else
        fuse_reply_attr(req, &st, 0);
}

static void node_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                      struct fuse_file_info *fi)
{
    struct fuse_bufvec data = FUSE_BUFVEC_INIT(size);

    (void)ino, (void)fi;
    data.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    data.buf[0].fd = file;
    data.buf[0].pos = offset;
    fuse_reply_data(req, &data, 0);
}

static const struct fuse_lowlevel_ops node_ops = {
    .lookup = node_lookup,
    .getattr = node_getattr,
    .read = node_read,
};

static int by_nodes(struct fuse_args *args)
{
    struct fuse_cmdline_opts opts;
    struct fuse_session *session;
    int result = fuse_service_parse_cmdline_opts(args, &opts);

    printf("parsed: %d, foreground %d\n", result, opts.foreground);
    session = fuse_session_new(args, &node_ops, sizeof(node_ops), NULL);
    if (session == NULL)
        return 3;
    result = fuse_service_session_mount(service, session, S_IFDIR, &opts);
    printf("mounted: %d, foreground %d\n", result, opts.foreground);
    printf("goodbye: %d", fuse_service_send_goodbye(service, result != 0));
    printf(" %d\n", fuse_service_send_goodbye(service, 9));
    fuse_service_release(service);
    if (result == 0)
        result = fuse_session_loop(session);
    printf("loop: %d\n", result);
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    free(opts.mountpoint);
    return result;
}

/* Asks for a file and takes what comes. */
static int ask(const char *what, int asked, const char *path)
{
    int fd = -1, result = fuse_service_receive_file(service, path, &fd);

    printf("%s: asked %d, received %d, %s\n", what, asked, result,
           fd >= 0 ? "a file" : strerror(-fd));
    return result != 0 ? -1 : fd;
}

static int files(void)
{
    char none[] = "/nonexistent", device[] = "/dev/null";

    file = ask("file", fuse_service_request_file(service, settings.path, O_RDONLY, 0, 0), settings.path);
    if (file < 0)
        return -1;
    ask("none", fuse_service_request_file(service, none, O_RDWR | O_CREAT, 0640,
                                          FUSE_SERVICE_REQUEST_FILE_QUIET), none);
    close(ask("device", fuse_service_request_blockdev(service, device, O_RDONLY, 0, 0, 512), device));
    printf("unknown flags: %d\n", fuse_service_request_file(service, none, 0, 0, 1u << 31));
    printf("finish: %d\n", fuse_service_finish_file_requests(service));
    return 0;
}

static int take(void *data, const char *arg, int key, struct fuse_args *out)
{
    struct settings *taken = data;

    (void)out;
    if (key != FUSE_OPT_KEY_NONOPT || taken->path != NULL)
        return 1;
    taken->path = strdup(arg);
    return 0;
}

static const struct fuse_opt options[] = {
    { "nodes", offsetof(struct settings, nodes), 1 },
    FUSE_OPT_END
};

static int serve(int argc, char **argv, struct fuse_args *args)
{
    int result = fuse_service_append_args(service, args);
    char *line = fuse_service_cmdline(argc, (const char *const *)argv, args);

    printf("arguments: %d, %s\n", result, line != NULL ? line : "none");
    free(line);
    if (result != 0 || fuse_opt_parse(args, &settings, options, take) != 0 || settings.path == NULL)
        return 1;
    if (files() != 0)
        return 1;
    if (settings.nodes)
        return by_nodes(args);
    fuse_service_expect_mount_format(service, S_IFDIR);
    result = fuse_service_main(service, args, &path_ops, NULL);
    printf("main: %d\n", result);
    return result;
}

int main(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    int result = 1, accepted;

    setvbuf(stdout, NULL, _IOLBF, 0);
    accepted = fuse_service_accept(&service);
    printf("accepted: %d, %d\n", accepted, fuse_service_accepted(service));
    if (fuse_service_accepted(service)) {
        printf("may: %d %d\n", fuse_service_can_allow_other(service), fuse_service_can_fuseblk(service));
        result = serve(argc, argv, &args);
        fuse_service_send_goodbye(service, result);
    }
    fuse_service_destroy(&service);
    printf("gone: %d\n", service == NULL);
    fuse_opt_free_args(&args);
    free(settings.path);
    return accepted == 0 && result == 1 ? 5 : fuse_service_exit(result);
}
