// A Medusa as its documentation sets it up, without its pages: tests/test_medusa.py drives its API.
const { defineConfig } = require("@medusajs/framework/utils")

const only = "only for this test"

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false },
    http: { storeCors: "*", adminCors: "*", authCors: "*", jwtSecret: only, cookieSecret: only },
  },
  admin: { disable: true },
})
