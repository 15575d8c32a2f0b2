# reboot(2) with LINUX_REBOOT_CMD_POWER_OFF.
use strict;
use warnings;

syscall(169, 0xfee1dead, 672274793, 0x4321fedc);
