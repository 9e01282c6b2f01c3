/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * One process, both libraries: a plug-in for each serves a mount of its own, at once.
 *
 *   both PLUGIN2 MOUNTPOINT2 PLUGIN3 MOUNTPOINT3
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

struct plugin {
    char *path, *mountpoint;
    void *handle;
    int (*version)(void), (*serve)(char *);
    int result;
    pthread_t thread;
};

static void *serve(void *data)
{
    struct plugin *p = data;

    p->result = p->serve(p->mountpoint);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct plugin plugins[2] = { 0 };
    int i;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 5)
        return 2;
    for (i = 0; i < 2; i++) {
        struct plugin *p = &plugins[i];

        p->path = argv[1 + 2 * i];
        p->mountpoint = argv[2 + 2 * i];
        p->handle = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
        if (p->handle == NULL) {
            printf("FAIL %s\n", dlerror());
            return 1;
        }
        *(void **)&p->version = dlsym(p->handle, "plugin_version");
        *(void **)&p->serve = dlsym(p->handle, "plugin_serve");
    }
    printf("versions %d %d\n", plugins[0].version(), plugins[1].version());
    for (i = 0; i < 2; i++)
        pthread_create(&plugins[i].thread, NULL, serve, &plugins[i]);
    for (i = 0; i < 2; i++)
        pthread_join(plugins[i].thread, NULL);
    printf("results %d %d\n", plugins[0].result, plugins[1].result);
    return 0;
}
