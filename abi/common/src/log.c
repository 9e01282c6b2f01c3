/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * The C-variadic half of logging: turns `...` into a va_list and hands it to the log function
 * that is current at that moment. No lock is held while that function runs, so it may log, or
 * install another function, itself.
 */
#define _DEFAULT_SOURCE /* vsyslog */
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <syslog.h>

/* Local to the shared object that links this file: two generations may live in one process. */
#define PRIVATE __attribute__((visibility("hidden")))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

typedef void (*ferrofuse_log_func)(int level, const char *fmt, va_list ap);

/* NULL means the default: print to stderr. */
static _Atomic(ferrofuse_log_func) current_func;
/* The default prints to syslog(3) instead. */
static _Atomic(int) to_syslog;

PRIVATE void ferrofuse_log_set(ferrofuse_log_func func);
PRIVATE void ferrofuse_log_to_syslog(const char *ident, int option, int facility);
PRIVATE int ferrofuse_log_is_redirected(void);
PRIVATE PRINTF_LIKE(2, 0) void ferrofuse_log_va(int level, const char *fmt, va_list ap);
PRIVATE PRINTF_LIKE(2, 3) void ferrofuse_fuse_log(int level, const char *fmt, ...);

void ferrofuse_log_set(ferrofuse_log_func func)
{
    atomic_store_explicit(&current_func, func, memory_order_release);
}

void ferrofuse_log_to_syslog(const char *ident, int option, int facility)
{
    openlog(ident, option, facility);
    atomic_store_explicit(&to_syslog, 1, memory_order_release);
}

/* Whether messages go elsewhere than to stderr. Async-signal-safe. */
int ferrofuse_log_is_redirected(void)
{
    return atomic_load(&current_func) != NULL || atomic_load(&to_syslog);
}

void ferrofuse_log_va(int level, const char *fmt, va_list ap)
{
    ferrofuse_log_func func = atomic_load_explicit(&current_func, memory_order_acquire);

    if (fmt == NULL)
        return;
    if (func != NULL)
        func(level, fmt, ap);
    else if (atomic_load_explicit(&to_syslog, memory_order_acquire))
        vsyslog(level, fmt, ap);
    else
        vfprintf(stderr, fmt, ap);
}

/* `enum fuse_log_level` is passed like an int by every C ABI this library supports. */
void ferrofuse_fuse_log(int level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ferrofuse_log_va(level, fmt, ap);
    va_end(ap);
}
