/*
 * Part of ferrofuse.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

/** @file
 * Messages of the library, and where they go.
 */

#ifndef FUSE_LOG_H_
#define FUSE_LOG_H_

#include "libfuse_config.h"

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Importance of a message. The values are those of syslog(3). */
enum fuse_log_level {
    FUSE_LOG_EMERG,   /**< unusable */
    FUSE_LOG_ALERT,   /**< somebody must act at once */
    FUSE_LOG_CRIT,    /**< critical */
    FUSE_LOG_ERR,     /**< an error */
    FUSE_LOG_WARNING, /**< a warning */
    FUSE_LOG_NOTICE,  /**< normal, but worth knowing */
    FUSE_LOG_INFO,    /**< information */
    FUSE_LOG_DEBUG    /**< what the debug option shows */
};

/**
 * Takes a message of the library.
 *
 * It may be called from every thread, also from several at once, and must not call fuse_log()
 * itself.
 *
 * @param level importance
 * @param fmt format in the manner of printf(3); it ends in a newline if the message ends there
 * @param ap the arguments of the format; valid during the call
 */
typedef void (*fuse_log_func_t)(enum fuse_log_level level, const char *fmt, va_list ap);

/**
 * Sends all later messages to a function of the caller.
 *
 * Set it before other threads use the library.
 *
 * @param func the function, or NULL to have messages on standard error again
 */
void fuse_set_log_func(fuse_log_func_t func);

/**
 * Writes a message to where the library writes its own.
 *
 * May be called from every thread.
 *
 * @param level importance
 * @param fmt format in the manner of printf(3), with its arguments
 */
void fuse_log(enum fuse_log_level level, const char *fmt, ...);

#if FUSE_MINOR_VERSION > 14
/**
 * Sends messages to syslog(3) where no function was set by fuse_set_log_func().
 *
 * @param ident,option,facility as for openlog(3); the string must stay valid
 */
void fuse_log_enable_syslog(const char *ident, int option, int facility);

/** Closes the connection to syslog(3). */
void fuse_log_close_syslog(void);
#endif

#ifdef __cplusplus
}
#endif

#endif /* FUSE_LOG_H_ */
