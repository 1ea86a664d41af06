# Tables and rows, for `hbase org.jruby.Main`, since the shell of HBase is not published:
#
#   create TABLE            a table of four regions
#   put TABLE FROM TO       the rows FROM to TO; each that was acknowledged is printed
#   scan TABLE              all rows that have the value that they were given
#   regions TABLE           the server of each region
java_import org.apache.hadoop.hbase.HBaseConfiguration
java_import org.apache.hadoop.hbase.TableName
java_import org.apache.hadoop.hbase.client.ColumnFamilyDescriptorBuilder
java_import org.apache.hadoop.hbase.client.ConnectionFactory
java_import org.apache.hadoop.hbase.client.Put
java_import org.apache.hadoop.hbase.client.Scan
java_import org.apache.hadoop.hbase.client.TableDescriptorBuilder

FAMILY = 'f'.to_java_bytes
COLUMN = 'c'.to_java_bytes

# Rows of neighbours are in different regions.
def key(row)
  "#{row % 4}-#{row}"
end

command, name, first, last = ARGV
$stdout.sync = true
connection = ConnectionFactory.create_connection(HBaseConfiguration.create)
table = TableName.value_of(name)
case command
when 'create'
  family = ColumnFamilyDescriptorBuilder.of(FAMILY)
  descriptor = TableDescriptorBuilder.new_builder(table).set_column_family(family).build
  splits = %w[1 2 3].map(&:to_java_bytes).to_java(Java::byte[])
  connection.admin.create_table(descriptor, splits)
when 'put'
  rows = connection.get_table(table)
  (first.to_i..last.to_i).each do |row|
    rows.put(Put.new(key(row).to_java_bytes).add_column(FAMILY, COLUMN, "value #{row}".to_java_bytes))
    puts row
  end
when 'scan'
  connection.get_table(table).get_scanner(Scan.new).each do |result|
    row = String.from_java_bytes(result.row)[/-(\d+)\z/, 1]
    puts row if String.from_java_bytes(result.get_value(FAMILY, COLUMN)) == "value #{row}"
  end
when 'regions'
  connection.get_region_locator(table).all_region_locations.each { |region| puts region.hostname }
end
connection.close
