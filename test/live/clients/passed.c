/* A descriptor of the device that a child gets from its parent through a socket (SCM_RIGHTS), and calls on. */
#include "../../emulate/clients/common.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct packet {
	char byte;
	struct iovec data;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message;
};

static void prepare(struct packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	packet->data = (struct iovec){ &packet->byte, 1 };
	packet->message = (struct msghdr){ .msg_iov = &packet->data, .msg_iovlen = 1,
					   .msg_control = packet->control.room,
					   .msg_controllen = sizeof(packet->control.room) };
}

static int child(int from)
{
	struct packet packet;
	struct mshv_create_partition create = { .pt_flags = ~0ull };
	int device;

	prepare(&packet);
	if (recvmsg(from, &packet.message, 0) != 1)
		return 1;
	memcpy(&device, CMSG_DATA(&packet.control.head), sizeof(device));
	show("flags", ioctl(device, MSHV_CREATE_PARTITION, &create));
	show("again", ioctl(device, MSHV_CREATE_PARTITION, &create));
	close(device);
	return 0;
}

int main(void)
{
	int pair[2], device, status;
	struct packet packet;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (fork() == 0)
		return child(pair[1]);
	device = open_device();
	prepare(&packet);
	packet.control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
						.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&packet.control.head), &device, sizeof(device));
	sendmsg(pair[0], &packet.message, 0);
	wait(&status);
	close(device);
	return show("passed", WEXITSTATUS(status));
}
