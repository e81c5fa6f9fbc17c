/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exit codes. Most functions of the tool return one, after they have reported the
 * error. mtetagramctl.8 documents the codes, and scripts depend on them.
 */
#ifndef _EXIT_H
#define _EXIT_H

enum exit_code {
	EXIT_OK		= 0,
	EXIT_ERROR	= 1,	/* something failed */
	EXIT_USAGE	= 2,	/* the arguments were wrong; nothing was tried */
	EXIT_NO_DEVICE	= 3,	/* no such device, no driver, or no tag storage */
	EXIT_BUSY	= 4,	/* the device is in use */
	EXIT_NO_ROOM	= 5,	/* the stored data does not fit */
	EXIT_DENIED	= 6,	/* the user may not do it */
	EXIT_UNSUPPORTED = 7,	/* this version of the driver cannot do it */
	EXIT_INTERRUPTED = 8,	/* the user interrupted the tool; nothing is half done */
};

#endif
