// SPDX-License-Identifier: GPL-2.0
/*
 * kexec: start another kernel in place of this one.
 *
 *   kexec IMAGE COMMAND-LINE
 *
 * The other kernel gets no initial RAM disk. What is mounted is not unmounted: the test
 * machine has nothing to lose.
 *
 * Exit status: 2 if the kernel refuses; there is no other.
 */

#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(2);
}

int main(int argc, char **argv)
{
	int image;

	if (argc != 3) {
		fprintf(stderr, "usage: kexec IMAGE COMMAND-LINE\n");
		return 2;
	}
	image = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (image < 0)
		die(argv[1]);
	if (syscall(__NR_kexec_file_load, image, -1, strlen(argv[2]) + 1, argv[2],
		    KEXEC_FILE_NO_INITRAMFS))
		die("kexec_file_load");
	reboot(LINUX_REBOOT_CMD_KEXEC);
	die("reboot");
}
