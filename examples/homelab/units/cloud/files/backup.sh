#!/bin/sh
set -eu
PGPASSWORD=$(cat /run/secrets/db) pg_dump -h nextcloud-db -U nextcloud nextcloud > /backup/nextcloud.sql.new
mv /backup/nextcloud.sql.new /backup/nextcloud.sql
