/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Every other way to serve a file system of paths than fuse_main(), in one program.
 *
 *   loops2 setup|mt|proc|cmd|remember|module|new MOUNTPOINT [-f] [options]
 */
#include <errno.h>
#include <fuse.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fs_getattr(const char *path, struct stat *st)
{
    memset(st, 0, sizeof(*st));
    st->st_mode = strcmp(path, "/") == 0 ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_nlink = 1;
    st->st_size = 5;
    if (strncmp(path, "/none", 5) == 0)
        return -ENOENT;
    return 0;
}

static int fs_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *fi)
{
    struct fuse_context *context = fuse_get_context();

    (void)path, (void)fi;
    if (offset != 0 || size < 5)
        return 0;
    if (strcmp(path, "/exit") == 0)
        fuse_exit(context->fuse);
    memcpy(buffer, context->private_data, 5);
    return 5;
}

static void *fs_init(struct fuse_conn_info *conn)
{
    (void)conn;
    return fuse_get_context()->private_data;
}

static void fs_destroy(void *data)
{
    fprintf(stderr, "destroy %s\n", (char *)data);
}

static struct fuse_operations operations = {
    .getattr = fs_getattr, .read = fs_read, .init = fs_init, .destroy = fs_destroy,
};

/* A module of the program's own: every file is read as "MODUL". */
static struct fuse_fs *below;

static int module_getattr(const char *path, struct stat *st)
{
    return fuse_fs_getattr(below, path, st);
}

static int module_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *fi)
{
    int n = fuse_fs_read(below, path, buffer, size, offset, fi);

    if (n > 0)
        memcpy(buffer, "MODUL", n < 5 ? (size_t)n : 5);
    return n;
}

static void *module_init(struct fuse_conn_info *conn)
{
    void *data = fuse_get_context()->private_data;

    fuse_fs_init(below, conn);
    return data;
}

static void module_destroy(void *data)
{
    fuse_fs_destroy(below);
    fprintf(stderr, "module %s\n", (char *)data);
}

static const struct fuse_operations module_operations = {
    .getattr = module_getattr, .read = module_read, .init = module_init, .destroy = module_destroy,
};

static struct fuse_fs *module_new(struct fuse_args *args, struct fuse_fs *fs[])
{
    (void)args;
    below = fs[0];
    return fuse_fs_new(&module_operations, sizeof(module_operations), "destroyed");
}

static struct fuse_module own_module = { "own", module_new, NULL, NULL, 0 };

static int processed;

static void process(struct fuse *fuse, struct fuse_cmd *cmd, void *data)
{
    __atomic_add_fetch((int *)data, 1, __ATOMIC_SEQ_CST);
    fuse_process_cmd(fuse, cmd);
}

static int serve(struct fuse *fuse, const char *way)
{
    if (strcmp(way, "mt") == 0)
        return fuse_loop_mt(fuse);
    if (strcmp(way, "proc") == 0) {
        int r = fuse_loop_mt_proc(fuse, process, &processed);

        fprintf(stderr, "processed %s\n", processed > 3 ? "some" : "none");
        return r;
    }
    if (strcmp(way, "cmd") == 0) {
        while (!fuse_exited(fuse)) {
            struct fuse_cmd *cmd = fuse_read_cmd(fuse);

            if (cmd != NULL)
                process(fuse, cmd, &processed);
            else if (fuse_exited(fuse))
                break;
        }
        fprintf(stderr, "processed %s\n", processed > 3 ? "some" : "none");
        return 0;
    }
    return fuse_loop(fuse);
}

/* Piece by piece, as programs do that want to know about each. */
static int pieces(int argc, char *argv[])
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    struct fuse_session *se;
    struct fuse_chan *ch;
    struct fuse *fuse;
    char *mountpoint;
    int mt, foreground, r;

    if (fuse_parse_cmdline(&args, &mountpoint, &mt, &foreground) != 0)
        return 2;
    ch = fuse_mount(mountpoint, &args);
    if (ch == NULL)
        return 3;
    fuse = fuse_new(ch, &args, &operations, sizeof(operations), "piece");
    if (fuse == NULL) {
        fuse_unmount(mountpoint, ch);
        return 4;
    }
    se = fuse_get_session(fuse);
    fprintf(stderr, "session %d channel %d mt %d foreground %d\n", se != NULL,
            fuse_session_next_chan(se, NULL) == ch, mt, foreground);
    if (fuse_daemonize(foreground) != 0 || fuse_set_signal_handlers(se) != 0)
        return 5;
    r = fuse_loop(fuse);
    fprintf(stderr, "loop %d\n", r);
    fuse_remove_signal_handlers(se);
    fuse_unmount(mountpoint, ch);
    fuse_destroy(fuse);
    free(mountpoint);
    fuse_opt_free_args(&args);
    return r == 0 ? 0 : 1;
}

int main(int argc, char *argv[])
{
    const char *way = argc > 1 ? argv[1] : "";
    struct fuse *fuse;
    char *mountpoint;
    int mt, r;

    argv[1] = argv[0];
    argv++, argc--;
    if (strcmp(way, "new") == 0)
        return pieces(argc, argv);
    if (strcmp(way, "module") == 0)
        fuse_register_module(&own_module);
    fuse = fuse_setup(argc, argv, &operations, sizeof(operations), &mountpoint, &mt, "setup");
    if (fuse == NULL)
        return 6;
    if (strcmp(way, "remember") == 0)
        fprintf(stderr, "cleanup %d %d\n", fuse_start_cleanup_thread(fuse), fuse_clean_cache(fuse) > 0);
    r = serve(fuse, way);
    if (strcmp(way, "remember") == 0)
        fuse_stop_cleanup_thread(fuse);
    fprintf(stderr, "loop %d mt %d exited %d\n", r, mt, fuse_exited(fuse) != 0);
    fuse_teardown(fuse, mountpoint);
    return r == 0 ? 0 : 1;
}
