// Node reads through each CommonJS file that an ES module imports, in search of its exports: up to 24 that takes 15 to 20 ms for
// `ipaddr.js`, a third of what loading all of a guard takes. It does not read what such a file requires.
const ipaddr = require('ipaddr.js')

module.exports = ipaddr
