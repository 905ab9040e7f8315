#ifndef DC_TEST_BOOTLOADER_RANDOM_H
#define DC_TEST_BOOTLOADER_RANDOM_H

void bootloader_random_enable(void);
void bootloader_random_disable(void);

#endif
