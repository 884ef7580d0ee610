/* Calls with the driver's type on a file of another driver, which refuses each. */
#include "common.h"

int main(void)
{
	int file = open("/dev/null", O_RDWR);

	for (int i = 0; i < 30; i++)
		ioctl(file, 0xb801 + i % 3);
	return 0;
}
