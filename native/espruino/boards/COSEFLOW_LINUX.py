"""Espruino for Linux that resembles a board: 4,095 variables, strings of bytes, and devcrypto."""

import copy
import os
import sys

sys.path.append(os.path.dirname(os.path.realpath(__file__)))

import LINUX as stock
import coseflow_boards

info = copy.deepcopy(stock.info)
chip = copy.deepcopy(stock.chip)
devices = stock.devices
get_pins = stock.get_pins

info['name'] = 'Linux with coseflow'
info['variables'] = 4095  # fixed, as on the ESP32-C3
info['build']['optimizeflags'] = '-Og'  # as on the ESP32
# FILESYSTEM stays: the host sensor reads /proc.
coseflow_boards.remove(
    info, coseflow_boards.UNWANTED, coseflow_boards.UNWANTED_DEFINES + ['UNICODE']
)
coseflow_boards.add_devcrypto(info, [
    'SOURCES += %s/espruino/host_linux.c' % coseflow_boards.LIBRARY,
    # Core, port and mbedTLS as one object, made by `make -C native espruino`: Espruino has an
    # mbedTLS of its own, 2.1.1, which keeps its numbers in JavaScript's memory.
    'LIBS += %s/../build/native/devcrypto-espruino.o' % coseflow_boards.LIBRARY,
    # No lazy binding: its resolver saves registers, with bytes of keys, on the stack.
    'LDFLAGS += -Wl,-z,now',
    # A stack as short as a board's, by ESPRUINO_STACK: see host_linux.c.
    'LDFLAGS += -Wl,--wrap=jsuGetFreeStack',
])

# Flash as large as the `storage` partition of partitions.csv.
chip['flash'] = 512
chip['saved_code'] = {
    'address': 0x10000000,
    'page_size': 4096,
    'pages': 128,
    'flash_available': 1536,
}
