#!/bin/sh
# fetch.sh SUITE DIRECTORY: Debian's source of mbedTLS, its signatures checked by apt,
# into DIRECTORY/source. Lists and settings are the directory's own: nothing of the
# machine's apt changes, and no rights are needed.
set -eu
suite=$1
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
mkdir -p "$2/apt/lists/partial" "$2/apt/cache/archives/partial" "$2/download"
directory=$(cd "$2" && pwd)

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$directory/apt/sources.list"
cat >"$directory/apt/apt.conf" <<SETTINGS
Dir::Etc::sourcelist "$directory/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$directory/apt/lists";
Dir::Cache "$directory/apt/cache";
APT::Sandbox::User "";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
SETTINGS
export APT_CONFIG="$directory/apt/apt.conf"
cd "$directory/download"
rm -rf ./mbedtls*
apt-get -qq update
apt-get -qq source mbedtls >/dev/null

rm -rf "$directory/source"
mv mbedtls-*/ "$directory/source"
basename ./*.dsc .dsc >"$directory/version"
rm -rf "$directory/apt" "$directory/download"
