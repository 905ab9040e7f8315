"""What coseflow's board definitions for Espruino share.

A board definition is a Python module that Espruino's build imports by the name given in
BOARD. Ours take the stock one of the same machine and change what is said here.
native/README.md tells how they are built.
"""

import os

# Where native/ is linked into Espruino's tree: its makefiles want paths below their root.
LIBRARY = 'libs/coseflow'

# An open console for anyone near (BLUETOOTH, TELNET), or memory for nothing we use.
UNWANTED = ['BLUETOOTH', 'TELNET', 'GRAPHICS', 'NEOPIXEL', 'TENSORFLOW']
UNWANTED_DEFINES = ['BLUETOOTH', 'USE_FONT']

WRAPPERS = ['devcrypto', 'devcrypto_aead', 'devcrypto_device', 'devcrypto_lasting', 'devcrypto_records']


def remove(info, libraries, defines):
    """Drops the libraries, and the makefile lines that contain one of the texts."""
    build = info['build']
    build['libraries'] = [name for name in build['libraries'] if name not in libraries]
    build['makefile'] = [
        line for line in build['makefile'] if not any(text in line for text in defines)
    ]


def add_devcrypto(info, lines):
    """Adds require("devcrypto"), and the lines that say where its core comes from."""
    glue = LIBRARY + '/espruino'
    info['build']['makefile'] += [
        'INCLUDE += -I$(ROOT)/%s/core -I$(ROOT)/%s/port -I$(ROOT)/%s' % (LIBRARY, LIBRARY, glue),
        'SOURCES += %s/call.c' % glue,
        'WRAPPERSOURCES += ' + ' '.join('%s/jswrap_%s.c' % (glue, name) for name in WRAPPERS),
    ] + lines


def use_esp32(info, chip, sdkconfig):
    """The common part of the ESP32 boards: see partitions.csv and sdkconfig.coseflow beside this."""
    remove(info, UNWANTED + ['FILESYSTEM'], UNWANTED_DEFINES)
    here = os.path.dirname(os.path.realpath(__file__))
    core = sorted(name for name in os.listdir(here + '/../../core') if name.endswith('.c'))
    boards = LIBRARY + '/espruino/boards'
    add_devcrypto(info, [
        'SOURCES += ' + ' '.join('%s/core/%s' % (LIBRARY, name) for name in core),
        'SOURCES += %s/espruino/host_esp32.c %s/port/port_esp32.c' % (LIBRARY, LIBRARY),
        # The stock settings, and ours after them: of two lines for one setting the later counts.
        '$(shell cat targets/esp32/IDF4/%s %s/sdkconfig.coseflow > $(GENDIR)/sdkconfig.coseflow)'
        % (sdkconfig, boards),
        'override SDKCONFIG = ../../../$(GENDIR)/sdkconfig.coseflow',
    ])
    # The `storage` partition of partitions.csv: the stock address, fewer pages.
    chip['saved_code']['pages'] = 128
    # An application slot of partitions.csv.
    chip['saved_code']['flash_available'] = 1536
