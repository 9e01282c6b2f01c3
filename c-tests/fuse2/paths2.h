/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What the path-based programs of every interface version share: the directory that they show, and
 * the trace of what they are called with.
 *
 *   FT_SOURCE   the directory that is shown
 *   FT_TRACE    file that gets a line per call
 */
#ifndef PATHS2_H
#define PATHS2_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *trace_file;

static void start(void)
{
    const char *name = getenv("FT_TRACE");

    if (name != NULL)
        trace_file = fopen(name, "w");
}

/* The path below FT_SOURCE: in one of four buffers, as no call has more than two paths. */
static const char *source(const char *path)
{
    static _Thread_local char buffers[4][PATH_MAX];
    static _Thread_local unsigned next;
    char *buffer = buffers[next++ % 4];

    if (path == NULL)
        return NULL;
    snprintf(buffer, PATH_MAX, "%s%s", getenv("FT_SOURCE"), path);
    return buffer;
}

/* One line; the numbers in the name of a file that is removed while open are each library's own. */
__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
    char line[2 * PATH_MAX], *hidden, *rest;
    va_list list;

    if (trace_file == NULL)
        return;
    va_start(list, format);
    vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    for (hidden = line; (hidden = strstr(hidden, ".fuse_hidden")) != NULL; hidden = rest) {
        hidden += strlen(".fuse_hidden");
        rest = hidden + strspn(hidden, "0123456789abcdef");
        memmove(hidden, rest, strlen(rest) + 1);
        rest = hidden;
    }
    fprintf(trace_file, "%s\n", line);
    fflush(trace_file);
}

static const char *shown(const char *path)
{
    return path != NULL ? path : "NULL";
}

/* What a system call returned, as operations return it. */
static int result(long returned)
{
    return returned == -1 ? -errno : (int)returned;
}

#endif
