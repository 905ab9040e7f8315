"""The ESP32-S3 with devcrypto and without open consoles."""

import copy
import os
import sys

sys.path.append(os.path.dirname(os.path.realpath(__file__)))

import ESP32S3_IDF4 as stock
import coseflow_boards

info = copy.deepcopy(stock.info)
chip = copy.deepcopy(stock.chip)
devices = stock.devices
boards = stock.boards
get_pins = stock.get_pins

info['name'] = 'ESP32S3 with coseflow'
coseflow_boards.use_esp32(info, chip, 'sdkconfig_s3')
