"""What scripts that produce begin with."""

#: A master that knows the brokers, and the topic that the script was given.
MASTER = """
package require kafka
kafka::kafka create m
m logger none
m config bootstrap.servers [join $env(KAFKATCL_TEST_BROKERS) ,]
set topic [lindex $argv 0]
"""
