#ifndef DC_TEST_ESP_ATTR_H
#define DC_TEST_ESP_ATTR_H

#define RTC_DATA_ATTR

#endif
