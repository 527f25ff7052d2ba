import ipaddr = require('ipaddr.js')

export = ipaddr
